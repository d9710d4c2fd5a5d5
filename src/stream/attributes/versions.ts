import { textBytes } from './column-store.ts';
import type { Versions } from './table.ts';

/** Where a topic's row was read. */
export interface TopicVersion {
  readonly partition: number;
  readonly offset: number;
}

const FIRST_ROWS = 1024;

/** Versions of the rows of a topic, shown as `PARTITION:OFFSET`. */
export function topicVersions(): Versions<TopicVersion> {
  let partitions = new Int32Array(FIRST_ROWS);
  let offsets = new Float64Array(FIRST_ROWS);
  return {
    get bytes() {
      return partitions.byteLength + offsets.byteLength;
    },
    set(row, { partition, offset }) {
      if (row >= partitions.length) {
        const [before, offsetsBefore] = [partitions, offsets];
        partitions = new Int32Array(2 * before.length);
        partitions.set(before);
        offsets = new Float64Array(2 * before.length);
        offsets.set(offsetsBefore);
      }
      partitions[row] = partition;
      offsets[row] = offset;
      return 0;
    },
    get: (row) => ({ partition: partitions[row] ?? -1, offset: offsets[row] ?? -1 }),
    show: ({ partition, offset }) => `${partition}:${offset}`,
  };
}

/** Versions from a column of a query. */
export function columnVersions(): Versions<string> {
  const texts: string[] = [];
  return {
    get bytes() {
      return 8 * texts.length;
    },
    set(row, version) {
      texts[row] = version;
      return textBytes(version);
    },
    get: (row) => texts[row] ?? '',
    show: (version) => version,
  };
}

/** The single version of rows that are overwritten: the instant of the load. @param instant epoch milliseconds */
export function loadVersion(instant: number): Versions<string> {
  const version = `load ${new Date(instant).toISOString()}`;
  return { bytes: 0, set: () => 0, get: () => version, show: () => version };
}

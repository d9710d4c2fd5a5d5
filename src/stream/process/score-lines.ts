import { ScoreBatchError } from '../../errors.ts';
import type { Attributes } from '../attributes.ts';
import type { EventRejection } from '../event.ts';
import type { LogRecord } from '../log.ts';
import type { FlowClock } from '../partition/ports.ts';
import { type DueRecord, nothingWritten, reject, scoreDue } from '../partition/scoring.ts';
import type { PartitionWindow } from '../partition-window.ts';
import { createDecoder, isRefused } from '../score/decode.ts';
import type { RecordWriter } from '../score/outputs.ts';
import type { Scorer } from '../scorer.ts';
import type { StreamSettings } from '../settings.ts';
import type { PlacedRecord } from './event-lines.ts';

/** Counts of a file's events by outcome. */
export interface FileCounts {
  events: number;
  scored: number;
  alerts: number;
  capped: number;
  duplicates: number;
  readonly rejected: Map<EventRejection, number>;
}

interface ScoreLines {
  readonly settings: Pick<StreamSettings, 'features' | 'limits' | 'output'>;
  readonly batches: AsyncIterable<readonly PlacedRecord[]>;
  readonly newWindow: () => PartitionWindow;
  readonly scorer: Scorer;
  readonly attributes: Attributes | undefined;
  readonly outputs: RecordWriter;
  /** Writes the values of a topic's records. @returns false if the reader is gone */
  readonly write: (topic: string, values: readonly string[]) => Promise<boolean>;
  readonly clock: FlowClock;
}

/** A partition of a file, with the records of pending events. */
interface Partition {
  readonly window: PartitionWindow;
  readonly waiting: Map<number, LogRecord>;
}

/**
 * Scores events in the order of their lines, as the stream does. At the end of the file no event can still come: pending events
 * are scored, and agree with SQL over the whole file.
 *
 * @throws ScoreBatchError `unavailable` if the windows take more than `limits.state`
 */
export async function scoreLines(options: ScoreLines): Promise<FileCounts> {
  const { settings, batches, newWindow, outputs, write, scorer, attributes, clock } = options;
  const { features, limits, output } = settings;
  const decode = createDecoder(features, limits.messageBytes);
  const partitions = new Map<number, Partition>();
  const counts: FileCounts = { events: 0, scored: 0, alerts: 0, capped: 0, duplicates: 0, rejected: new Map() };
  let written = nothingWritten();

  function add(number: number, record: LogRecord): void {
    counts.events += 1;
    const { window, waiting } = partitionAt(number);
    const event = decode(record);
    if (isRefused(event)) {
      window.skipTo(record.offset + 1);
      reject(record, event, written, { outputs, partition: number, scorer, clock });
      return;
    }
    const verdict = window.add(event);
    if (verdict === 'accepted') waiting.set(record.offset, record);
    else if (verdict === 'duplicate') counts.duplicates += 1;
    else reject(record, { reason: verdict, time: event.time }, written, { outputs, partition: number, scorer, clock });
  }

  function partitionAt(number: number): Partition {
    let found = partitions.get(number);
    if (found === undefined) {
      found = { window: newWindow(), waiting: new Map() };
      partitions.set(number, found);
    }
    return found;
  }

  async function score(atEnd: boolean): Promise<void> {
    for (const [partition, { window, waiting }] of partitions) {
      const due = window.takeDue(atEnd).map((one): DueRecord => {
        const record = waiting.get(one.event.offset);
        waiting.delete(one.event.offset);
        if (record === undefined) throw new Error('an event is due that was never added');
        // Not idle: no event can come after the end of a file.
        return { due: one.idle ? { ...one, idle: false } : one, record };
      });
      await scoreDue(due, written, { partition, batchEvents: limits.batchEvents, outputs, scorer, attributes, clock });
    }
  }

  async function flush(): Promise<boolean> {
    const { records, events, rejected } = written;
    written = nothingWritten();
    counts.scored += events.length;
    for (const { capped } of events) if (capped) counts.capped += 1;
    for (const [reason, count] of rejected) counts.rejected.set(reason, (counts.rejected.get(reason) ?? 0) + count);
    for (const topic of [output.scores, output.deadLetter, output.alerts]) {
      const values = records.filter((record) => record.topic === topic).map(({ value }) => String(value));
      if (topic === output.alerts) counts.alerts += values.length;
      if (topic !== undefined && values.length > 0 && !(await write(topic, values))) return false;
    }
    return true;
  }

  for await (const batch of batches) {
    for (const { partition, record } of batch) add(partition, record);
    await score(false);
    if (!(await flush())) return counts;
    refuseBeyond(limits.stateBytes, partitions);
  }
  await score(true);
  await flush();
  return counts;
}

function refuseBeyond(limit: number, partitions: ReadonlyMap<number, Partition>): void {
  let bytes = 0;
  for (const { window } of partitions.values()) bytes += window.bytes;
  if (bytes <= limit) return;
  throw new ScoreBatchError('unavailable', `the windows take ${bytes} bytes, more than limits.state (${limit})`, {
    hint: 'raise limits.state if the machine has the memory, or lower limits.events_per_key',
  });
}

import { readRejection } from '../../features/rejection.ts';
import type { Attributes } from '../attributes.ts';
import type { DueEvent, EventRejection } from '../event.ts';
import type { LogRecord } from '../log.ts';
import type { PartitionWindow } from '../partition-window.ts';
import { createDecoder, isRefused } from '../score/decode.ts';
import type { RecordWriter } from '../score/outputs.ts';
import type { Scorer } from '../scorer.ts';
import type { StreamSettings } from '../settings.ts';
import type { PlacedRecord } from './event-lines.ts';

/** What became of the events of a file. */
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
  readonly writer: RecordWriter;
  /** Takes the values of the records of a topic. @returns false if nobody reads them any more */
  readonly write: (topic: string, values: readonly string[]) => Promise<boolean>;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** A partition of a file, with the records that may still be rejected. */
interface Partition {
  readonly window: PartitionWindow;
  readonly waiting: Map<number, LogRecord>;
}

/**
 * Scores events in the order of their lines, as the stream does. Where the file ends, no event can come any more: what waits is scored,
 * and agrees with SQL over the whole file.
 */
export async function scoreLines(options: ScoreLines): Promise<FileCounts> {
  const { settings, batches, newWindow, scorer, attributes, writer, write, now } = options;
  const { scores, deadLetter, alerts } = settings.output;
  const decode = createDecoder(settings.features, settings.limits.messageBytes);
  const partitions = new Map<number, Partition>();
  const counts: FileCounts = { events: 0, scored: 0, alerts: 0, capped: 0, duplicates: 0, rejected: new Map() };
  let out = new Map<string, string[]>();

  function put(topic: string, value: Buffer | string): void {
    const values = out.get(topic);
    if (values === undefined) out.set(topic, [String(value)]);
    else values.push(String(value));
  }

  function reject(
    partition: number,
    record: LogRecord,
    why: { reason: EventRejection; detail?: string; feature?: string },
  ): void {
    counts.rejected.set(why.reason, (counts.rejected.get(why.reason) ?? 0) + 1);
    put(deadLetter, writer.rejected({ partition, record, ...why, scorer, rejectedAt: now() }).value);
  }

  function partitionAt(number: number): Partition {
    let found = partitions.get(number);
    if (found === undefined) {
      found = { window: newWindow(), waiting: new Map() };
      partitions.set(number, found);
    }
    return found;
  }

  function add(number: number, record: LogRecord): void {
    counts.events += 1;
    const { window, waiting } = partitionAt(number);
    const event = decode(record);
    if (isRefused(event)) {
      window.skipTo(record.offset + 1);
      reject(number, record, event);
      return;
    }
    const verdict = window.add(event);
    if (verdict === 'accepted') waiting.set(record.offset, record);
    else if (verdict === 'duplicate') counts.duplicates += 1;
    else reject(number, record, { reason: verdict });
  }

  async function score(number: number, { waiting }: Partition, due: readonly DueEvent[]): Promise<void> {
    const scorable = due.flatMap((one) => {
      if (one.features !== undefined) return [{ due: one, attributes: attributes?.find(one.event.key) }];
      const record = waiting.get(one.event.offset);
      if (record !== undefined) reject(number, record, { reason: 'sum overflows' });
      return [];
    });
    const scored = await scorer.score(scorable);
    for (const [i, { due: one, attributes: row }] of scorable.entries()) {
      const code = scored.rejected[i] ?? 0;
      const record = waiting.get(one.event.offset);
      if (code !== 0 && record !== undefined) {
        const { reason, feature } = readRejection(code);
        const name = feature === undefined ? undefined : scorer.featureNames[feature];
        reject(number, record, {
          reason: 'refused by the model',
          detail: reason,
          ...(name !== undefined && { feature: name }),
        });
        continue;
      }
      counts.scored += 1;
      if (one.capped) counts.capped += 1;
      const millionths = scored.millionths[i] ?? 0;
      const records = writer.scored({ partition: number, due: one, attributes: row, millionths, scorer, scoredAt: now() });
      for (const { topic, value } of records) {
        if (topic === alerts) counts.alerts += 1;
        put(topic, value);
      }
    }
    for (const { event } of due) waiting.delete(event.offset);
  }

  async function flush(): Promise<boolean> {
    const [full, empty] = [out, new Map<string, string[]>()];
    out = empty;
    for (const topic of [scores, deadLetter, ...(alerts === undefined ? [] : [alerts])]) {
      const values = full.get(topic);
      if (values !== undefined && !(await write(topic, values))) return false;
    }
    return true;
  }

  for await (const batch of batches) {
    for (const { partition, record } of batch) add(partition, record);
    for (const [number, partition] of partitions) await score(number, partition, partition.window.takeDue());
    if (!(await flush())) return counts;
  }
  for (const [number, partition] of partitions) {
    const rest = partition.window.takeDue(true).map((one) => ({ ...one, idle: false }));
    await score(number, partition, rest);
  }
  await flush();
  return counts;
}

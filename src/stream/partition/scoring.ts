import { readRejection } from '../../features/rejection.ts';
import type { DueEvent, EventRejection } from '../event.ts';
import type { LogRecord, OutputRecord } from '../log.ts';
import type { Scorer } from '../scorer.ts';
import type { FlowOptions, NoEvent } from './ports.ts';

/** Records that a transaction writes, and their counts. */
export interface Written {
  readonly records: OutputRecord[];
  /** Per record the event whose score it is; undefined for a dead letter. */
  readonly origins: (DueRecord | undefined)[];
  readonly events: DueEvent[];
  readonly rejected: Map<EventRejection, number>;
  duplicates: number;
}

export function nothingWritten(): Written {
  return { records: [], origins: [], events: [], rejected: new Map(), duplicates: 0 };
}

export interface ScoringOptions
  extends Pick<FlowOptions, 'attributes' | 'outputs' | 'clock'>,
    Partial<Pick<FlowOptions, 'mostBytes'>> {
  readonly partition: number;
  readonly scorer: Scorer;
  /** Most events per call of the scorer. */
  readonly batchEvents: number;
}

export interface DueRecord {
  readonly due: DueEvent;
  readonly record: LogRecord;
}

/**
 * Scores due events in order, and adds their output records.
 *
 * @throws what the scorer throws
 */
export async function scoreDue(due: readonly DueRecord[], written: Written, options: ScoringOptions): Promise<void> {
  const scorable: DueRecord[] = [];
  for (const one of due) {
    if (one.due.features === undefined)
      reject(one.record, { reason: 'sum overflows', time: one.due.event.time }, written, options);
    else scorable.push(one);
  }
  for (let start = 0; start < scorable.length; start += options.batchEvents) {
    await scorePart(scorable.slice(start, start + options.batchEvents), written, options);
  }
}

/** Adds a record's dead letter. */
export function reject(
  record: LogRecord,
  why: NoEvent & { readonly feature?: string; readonly time?: number },
  written: Written,
  { outputs, partition, scorer, clock }: Pick<ScoringOptions, 'outputs' | 'partition' | 'scorer' | 'clock'>,
): void {
  const letter = outputs.rejected({ ...why, partition, record, scorer, rejectedAt: clock.now() });
  if (letter !== undefined) {
    written.records.push(letter);
    written.origins.push(undefined);
  }
  written.rejected.set(why.reason, (written.rejected.get(why.reason) ?? 0) + 1);
}

/**
 * Replaces a score that the log refuses for its size by a dead letter.
 *
 * @returns false if the record is not a score
 */
export function replaceTooLarge(
  large: OutputRecord,
  written: Written,
  options: Pick<ScoringOptions, 'outputs' | 'partition' | 'scorer' | 'clock'>,
): boolean {
  const origin = written.origins[written.records.findIndex((one) => isSame(one, large))];
  if (origin === undefined) return false;
  const kept = written.records.map((record, i) => ({ record, of: written.origins[i] })).filter(({ of }) => of !== origin);
  // Not as spread arguments: there can be more records than the stack has room for.
  for (const [i, { record, of }] of kept.entries()) {
    written.records[i] = record;
    written.origins[i] = of;
  }
  written.records.length = kept.length;
  written.origins.length = kept.length;
  written.events.splice(written.events.indexOf(origin.due), 1);
  reject(origin.record, { ...tooLarge(large), time: origin.due.event.time }, written, options);
  return true;
}

/** The log may return a copy of the record. */
function isSame(one: OutputRecord, other: OutputRecord): boolean {
  const bytes = ({ value }: OutputRecord) => Buffer.from(value as string);
  return one === other || (one.topic === other.topic && bytes(one).equals(bytes(other)));
}

function tooLarge(record: OutputRecord): NoEvent {
  return { reason: 'too large', detail: `its score has ${bytesOf(record)} bytes` };
}

async function scorePart(part: readonly DueRecord[], written: Written, options: ScoringOptions): Promise<void> {
  const { attributes, outputs, partition, scorer, clock, mostBytes } = options;
  const events = part.map(({ due }) => ({ due, attributes: attributes?.find(due.event.key) }));
  const { millionths, rejected } = await scorer.score(events);
  const scoredAt = clock.now();
  for (const [i, { due, record }] of part.entries()) {
    const code = rejected[i] ?? 0;
    if (code !== 0) {
      const { reason: detail, feature } = readRejection(code);
      const name = feature === undefined ? undefined : scorer.featureNames[feature];
      const why = {
        reason: 'refused by the model',
        detail,
        ...(name !== undefined && { feature: name }),
        time: due.event.time,
      } as const;
      reject(record, why, written, options);
      continue;
    }
    const event = { partition, due, attributes: events[i]?.attributes, millionths: millionths[i] ?? 0, scorer, scoredAt };
    const records = outputs.scored(event);
    const large = records.find((one) => bytesOf(one) > (mostBytes?.(one.topic) ?? Number.POSITIVE_INFINITY));
    if (large !== undefined) {
      reject(record, { ...tooLarge(large), time: due.event.time }, written, options);
      continue;
    }
    for (const one of records) {
      written.records.push(one);
      written.origins.push(part[i]);
    }
    written.events.push(due);
  }
}

function bytesOf({ key, value }: OutputRecord): number {
  return (key === null ? 0 : Buffer.byteLength(key)) + Buffer.byteLength(value);
}

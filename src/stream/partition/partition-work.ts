import { ScoreBatchError } from '../../errors.ts';
import type { EventFeatures } from '../../event-features/definition.ts';
import type { DueEvent } from '../event.ts';
import { type Committed, type LogBatch, type LogRecord, type PartitionProducer, TooLargeError } from '../log.ts';
import type { Scorer } from '../scorer.ts';
import { partialUntil } from './begin.ts';
import type { KeyPlaces } from './key-places.ts';
import { checksumOf, decodingOf, encodeMetadata, modelOf, rulesOf } from './metadata.ts';
import type { OpenPartition } from './open-partition.ts';
import type { FlowOptions } from './ports.ts';
import { reachable } from './reachable.ts';
import { madeAgain } from './resume.ts';
import type { ScorerInUse } from './scorer-in-use.ts';
import {
  type DueRecord,
  nothingWritten,
  reject,
  replaceTooLarge,
  type ScoringOptions,
  scoreDue,
  type Written,
} from './scoring.ts';
import { isWithin } from './stretch.ts';

/** What a record in memory takes besides its value. */
const RECORD_BYTES = 150;

/** The work on one open partition. Calls for a partition must not overlap. */
export interface PartitionWork {
  /**
   * Reads records and commits what came of them, at most `limits.batchEvents` records in a transaction.
   *
   * @throws FencedError or TransactionError if the partition must be opened again
   * @throws ScoreBatchError if the process must end
   */
  batch(open: OpenPartition, batch: LogBatch): Promise<void>;
  /** Scores all events that wait for others, since none come. Throws as `batch` does. */
  flush(open: OpenPartition): Promise<void>;
}

interface Tools {
  readonly options: Omit<FlowOptions, 'onFatal'>;
  readonly scorers: ScorerInUse;
  readonly places: KeyPlaces;
}

export function workOn(tools: Tools): PartitionWork {
  const { observer, settings, clock } = tools.options;
  const { batchEvents } = settings.limits;
  return {
    async batch(open, batch) {
      open.newest = batch;
      observer.read(open.partition, batch.records.length, Math.max(0, batch.end - batch.next));
      for (let start = 0; start < batch.records.length; start += batchEvents) {
        const records = batch.records.slice(start, start + batchEvents);
        const next = start + batchEvents < batch.records.length ? 0 : batch.next;
        await tools.scorers.use((scorer) => transact(open, records, next, scorer, tools));
      }
      if (batch.records.length === 0) passOver(open, batch.next);
      if (open.complete || open.window.rebuilding) return;
      open.complete = true;
      // What an earlier process left between two transactions waits for no further record.
      if (open.window.due > 0 || open.rejectedAnew.length > 0) {
        await tools.scorers.use((scorer) => commit(open, nothingWritten(), false, scorer, tools));
      }
      observer.rebuilt(open.partition, open.window.events, Math.round(clock.elapsed() - open.openedAt));
    },
    flush: (open) => tools.scorers.use((scorer) => commit(open, nothingWritten(), true, scorer, tools)),
  };
}

/** @param next of the batch, if these are its last records */
async function transact(
  open: OpenPartition,
  records: readonly LogRecord[],
  next: number,
  scorer: Scorer,
  tools: Tools,
): Promise<void> {
  const written = nothingWritten();
  let fresh = false;
  for (const record of records) {
    if (!compare(open, record, tools)) continue;
    read(open, record, written, scorer, tools);
    if (record.offset < open.checkpoint.position) continue;
    fresh = true;
    open.last = record;
  }
  passOver(open, next);
  if (!fresh) return;
  open.readAt = tools.options.clock.elapsed();
  await commit(open, written, false, scorer, tools);
}

/** Moves the window past what is not delivered: markers of transactions, and records of aborted ones. */
function passOver({ window }: OpenPartition, next: number): void {
  if (next > window.position) window.skipTo(next);
}

/**
 * Compares the last record of the earlier process with what the log has there now.
 *
 * @returns whether the record is new to the window
 * @throws ScoreBatchError `configuration` if it is another one
 */
function compare(open: OpenPartition, record: LogRecord, { options }: Tools): boolean {
  const { expected, partition } = open;
  if (expected !== undefined && record.offset >= expected.offset) {
    const { group, input } = options.settings;
    if (record.offset > expected.offset || checksumOf(record) !== expected.checksum) {
      throw madeAgain(
        `group ${group}, partition ${partition} of topic ${input}`,
        `the record at offset ${expected.offset} is not the one that was read before`,
      );
    }
    open.expected = undefined;
  }
  return record.offset >= open.window.position;
}

function read(open: OpenPartition, record: LogRecord, written: Written, scorer: Scorer, { options, places }: Tools): void {
  const { partition, window, checkpoint } = open;
  const isNew = record.offset >= checkpoint.position;
  const isTold = isNew && isWithin(options.stretch, record.timestamp);
  const rejectAs = { ...options, partition, scorer };
  if (open.partial === 'next') open.partial = partialUntil(record.timestamp, options.settings.features);
  const event = options.decode(record);
  if ('reason' in event) {
    window.skipTo(record.offset + 1);
    if (isTold) reject(record, event, written, rejectAs);
    else if (!isNew && open.rejectedFrom !== undefined && record.offset >= open.rejectedFrom) {
      open.rejectedAnew.push({ record: copyOf(record), why: event });
    }
    return;
  }
  const other = places.see(event.key, partition);
  if (other !== undefined) throw inTwoPartitions(options.settings.input, other, partition, record.offset);
  const verdict = window.add(event);
  if (verdict === 'accepted') {
    if (!isNew && wasScored(event, open, options)) return;
    // As of event it waits: the buffer of all that was fetched must not wait with it.
    open.unscored.set(record.offset, options.settings.features.asOf === 'event' ? copyOf(record) : record);
    open.unscoredBytes += bytesOf(record);
  } else if (isTold) {
    if (verdict === 'duplicate') written.duplicates += 1;
    else reject(record, { reason: verdict }, written, rejectAs);
  }
}

/** As the window decides it for events that were accepted before the checkpoint. */
function wasScored(
  { offset, time }: { readonly offset: number; readonly time: number },
  { checkpoint: { frontier, flushed } }: OpenPartition,
  { settings }: Pick<FlowOptions, 'settings'>,
): boolean {
  return settings.features.asOf === 'arrival' || offset < flushed || (frontier !== null && time < frontier);
}

/** However many events are due, a transaction has not many more than `limits.batchEvents` of them: more would not end in time. */
async function commit(open: OpenPartition, written: Written, idle: boolean, scorer: Scorer, tools: Tools): Promise<void> {
  const { window } = open;
  let part = written;
  do {
    await commitPart(open, part, idle, scorer, tools);
    part = nothingWritten();
  } while ((idle ? window.pending : window.due) > 0);
}

async function commitPart(
  open: OpenPartition,
  written: Written,
  idle: boolean,
  scorer: Scorer,
  { options }: Tools,
): Promise<void> {
  const { partition, window, producer } = open;
  const { clock, observer, settings, stretch } = options;
  const { features, limits } = settings;
  const taken = window.takeDue(idle, limits.batchEvents);
  if (idle && taken.length === 0) return;
  const due = taken
    .map((one): DueRecord => ({ due: markPartial(one, open), record: takeRecord(open, one.event.offset) }))
    .filter((one) => isWithin(stretch, one.due.event.time));
  if (!window.rebuilding) {
    for (const { record, why } of open.rejectedAnew.splice(0)) reject(record, why, written, { ...options, partition, scorer });
  }
  await scoreDue(due, written, { ...options, partition, scorer, batchEvents: limits.batchEvents });
  const checkpoint = window.checkpoint();
  const model = modelOf(scorer);
  const modelSince = model === open.model ? open.modelSince : open.committed.offset;
  const last = open.last === undefined ? open.lastCommitted : { offset: open.last.offset, checksum: checksumOf(open.last) };
  const committed = {
    offset: checkpoint.position,
    metadata: encodeMetadata({
      checkpoint,
      partitions: open.partitions,
      last,
      pending: firstUnscored(open, checkpoint.position),
      partial: partialAfter(open, checkpoint.maximum, features),
      features: features.digest,
      rules: rulesOf(features),
      decoding: decodingOf(features, limits.messageBytes),
      model,
      modelSince,
      scope: stretch?.scope,
    }),
  };
  const at = clock.now();
  const began = clock.elapsed();
  await send(producer, written, committed, { ...options, partition, scorer });
  open.committed = committed;
  open.lastCommitted = last;
  open.last = undefined;
  open.model = model;
  open.modelSince = modelSince;
  observer.committed(partition, {
    position: committed.offset,
    events: written.events,
    at,
    ms: clock.elapsed() - began,
    duplicates: written.duplicates,
    rejected: written.rejected,
  });
}

function markPartial(due: DueEvent, { partial }: OpenPartition): DueEvent {
  return typeof partial === 'number' && due.event.time <= partial ? { ...due, partial: true } : due;
}

/** Null once every event that can still come is later. */
function partialAfter(
  { partial }: OpenPartition,
  maximum: number | null,
  { latenessMs }: EventFeatures,
): OpenPartition['partial'] {
  return typeof partial === 'number' && maximum !== null && maximum - latenessMs > partial ? null : partial;
}

/** They were added by offset. */
function firstUnscored({ unscored }: OpenPartition, position: number): number {
  const first = unscored.keys().next();
  return first.done === true ? position : first.value;
}

/**
 * A score that is too large becomes a dead letter.
 *
 * @throws ScoreBatchError `configuration` if a dead letter is too large
 */
async function send(
  producer: PartitionProducer,
  written: Written,
  committed: Committed,
  options: Pick<ScoringOptions, 'outputs' | 'partition' | 'scorer' | 'clock'>,
): Promise<void> {
  for (;;) {
    try {
      return await reachable(producer.commit({ records: written.records, ...committed }));
    } catch (error) {
      if (!(error instanceof TooLargeError)) throw error;
      if (!replaceTooLarge(error.record, written, options)) throw tooSmallTopic(error);
    }
  }
}

function tooSmallTopic(cause: TooLargeError): ScoreBatchError {
  const { topic } = cause.record;
  return new ScoreBatchError('configuration', `Kafka refuses a dead letter: it is larger than topic ${topic} takes`, {
    hint: `raise max.message.bytes of ${topic}: dead letters have a few hundred bytes`,
    cause,
  });
}

function takeRecord(open: OpenPartition, offset: number): LogRecord {
  const record = open.unscored.get(offset);
  if (record === undefined) throw new Error(`an event is due that was scored before: offset ${offset}`);
  open.unscored.delete(offset);
  open.unscoredBytes -= bytesOf(record);
  return record;
}

function copyOf({ key, value, ...rest }: LogRecord): LogRecord {
  return { ...rest, key: key && Buffer.from(key), value: value && Buffer.from(value) };
}

function bytesOf({ key, value }: LogRecord): number {
  return (key?.length ?? 0) + (value?.length ?? 0) + RECORD_BYTES;
}

function inTwoPartitions(topic: string, one: number, other: number, offset: number): ScoreBatchError {
  return new ScoreBatchError('configuration', `a key of topic ${topic} is in partition ${one} and in partition ${other}`, {
    hint: 'its windows would be wrong: let producers choose the partition by the key alone, and start with a new `group`',
    details: [`offset ${offset} of partition ${other}`],
  });
}

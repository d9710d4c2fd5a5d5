import { ScoreBatchError } from '../../errors.ts';
import type { DueEvent } from '../event.ts';
import type { LogBatch, LogRecord } from '../log.ts';
import type { Scorer } from '../scorer.ts';
import { partialUntil } from './begin.ts';
import { commit } from './commit.ts';
import type { KeyPlaces } from './key-places.ts';
import { checksumOf } from './metadata.ts';
import type { OpenPartition } from './open-partition.ts';
import type { FlowOptions } from './ports.ts';
import { madeAgain } from './resume.ts';
import type { ScorerInUse } from './scorer-in-use.ts';
import { type DueRecord, nothingWritten, reject, type ScoringOptions, scoreDue, type Written } from './scoring.ts';
import { isWithin } from './stretch.ts';

/** Memory of a record besides its key and value. */
const RECORD_BYTES = 150;

/**
 * Records are read and scored in parts of this size, so that temporary objects become garbage soon, whatever the size of a
 * transaction.
 */
const PART_RECORDS = 1024;

/** How far a timestamp may be ahead of this clock: what brokers accept by default since Kafka 4.0. */
const AHEAD_MS = 3_600_000;

/** Work on one open partition. Calls for a partition must not overlap. */
export interface PartitionWork {
  /**
   * Reads records and commits their outputs, at most `limits.batchEvents` records per transaction.
   *
   * @param isWanted asked before each of these parts; once it is false, the others are left
   * @returns the rest of the batch, to be passed again; undefined if nothing is left
   * @throws FencedError or TransactionError if the partition must be opened again
   * @throws ScoreBatchError if the process must end
   */
  batch(open: OpenPartition, batch: LogBatch, isWanted?: () => boolean): Promise<LogBatch | undefined>;
  /** Scores all pending events, since no others come. Throws as `batch` does. */
  flush(open: OpenPartition): Promise<void>;
  /**
   * Commits the position if nothing but markers and records of aborted transactions came since the last commit. Once the log has dropped
   * those, nobody could tell them from events that were lost. Throws as `batch` does.
   */
  settle(open: OpenPartition): Promise<void>;
}

interface Tools {
  readonly options: Omit<FlowOptions, 'onFatal'>;
  readonly scorers: ScorerInUse;
  readonly places: KeyPlaces;
}

interface WorkTools extends Tools {
  /**
   * Reads and scores one partition at a time, while transactions of others are in flight: there is one thread and one scorer,
   * and memory stays lower.
   */
  readonly exclusively: <T>(work: () => Promise<T>) => Promise<T>;
}

export function workOn(given: Tools): PartitionWork {
  const tools = { ...given, exclusively: createQueue() };
  const { observer, settings } = tools.options;
  const { batchEvents } = settings.limits;
  return {
    async batch(open, batch, isWanted = () => true) {
      open.newest = batch;
      let at = 0;
      while (at < batch.records.length && isWanted()) {
        const records = batch.records.slice(at, at + batchEvents);
        at += records.length;
        const next = at < batch.records.length ? 0 : batch.next;
        observer.read(open.partition, records.length);
        await tools.scorers.use((scorer) => transact(open, records, next, scorer, tools));
      }
      if (batch.records.length === 0) passOver(open, batch.next);
      tellRebuilt(open, tools);
      // Due events that an earlier process left do not wait for another record.
      await tools.scorers.use((scorer) => release(open, false, scorer, tools));
      return at < batch.records.length ? { ...batch, records: batch.records.slice(at) } : undefined;
    },
    flush: (open) => tools.scorers.use((scorer) => release(open, true, scorer, tools)),
    async settle(open) {
      const { window, last, expected, committed } = open;
      if (window.rebuilding || last !== undefined || expected !== undefined || window.position <= committed.offset) return;
      await tools.scorers.use((scorer) => commit(open, nothingWritten(), scorer, tools.options));
    },
  };
}

/** @param next the batch's `next` if these are its last records */
async function transact(
  open: OpenPartition,
  records: readonly LogRecord[],
  next: number,
  scorer: Scorer,
  tools: WorkTools,
): Promise<void> {
  const written = nothingWritten();
  let fresh = false;
  let room = tools.options.settings.limits.batchEvents;
  await tools.exclusively(async () => {
    for (let start = 0; start < records.length; start += PART_RECORDS) {
      for (const record of records.slice(start, start + PART_RECORDS)) {
        if (!compare(open, record, tools)) continue;
        if (!fresh && record.offset >= open.checkpoint.position) tellRebuilt(open, tools);
        read(open, record, written, scorer, tools);
        if (record.offset < open.checkpoint.position) continue;
        fresh = true;
        open.last = record;
      }
      if (!fresh) continue;
      const due = takeDue(open, false, Math.max(0, room), tools);
      room -= due.length;
      await scoreDue(due, written, scoringOf(open, scorer, tools));
    }
  });
  passOver(open, next);
  if (!fresh) return;
  open.readAt = tools.options.clock.elapsed();
  await commit(open, written, scorer, tools.options);
  await release(open, false, scorer, tools);
}

/**
 * Scores what is due, and with `idle` all that is pending. A transaction has little more than `limits.batchEvents` of them, so
 * that it ends in time. Nothing interrupts it: without another record, nobody would score what is left.
 */
async function release(open: OpenPartition, idle: boolean, scorer: Scorer, tools: WorkTools): Promise<void> {
  const { window } = open;
  while (!window.rebuilding && (idle ? window.pending : window.due) > 0) {
    const due = takeDue(open, idle, tools.options.settings.limits.batchEvents, tools);
    const written = nothingWritten();
    if (idle && due.length === 0 && window.pending === 0) return;
    await tools.exclusively(() => scoreDue(due, written, scoringOf(open, scorer, tools)));
    await commit(open, written, scorer, tools.options);
  }
}

/** Once the window has all records up to what was committed. */
function tellRebuilt(open: OpenPartition, { options: { observer, clock } }: Tools): void {
  if (open.complete || open.window.rebuilding) return;
  open.complete = true;
  observer.rebuilt(open.partition, open.window.events, Math.round(clock.elapsed() - open.openedAt));
}

function takeDue(open: OpenPartition, idle: boolean, most: number, { options }: Tools): DueRecord[] {
  return open.window
    .takeDue(idle, most)
    .map((due): DueRecord => ({ due: markPartial(due, open), record: takeRecord(open, due.event.offset) }))
    .filter(({ due }) => isWithin(options.stretch, due.event.time));
}

function markPartial(due: DueEvent, { partial }: OpenPartition): DueEvent {
  return typeof partial === 'number' && due.event.time <= partial ? { ...due, partial: true } : due;
}

function scoringOf({ partition }: OpenPartition, scorer: Scorer, { options }: Tools): ScoringOptions {
  return { ...options, partition, scorer, batchEvents: options.settings.limits.batchEvents };
}

/** Moves the window past what is not delivered: transaction markers and aborted records. */
function passOver({ window }: OpenPartition, next: number): void {
  if (next > window.position) window.skipTo(next);
}

/**
 * Compares the last record that the earlier process read with what the log has there now.
 *
 * @returns whether the record is new to the window
 * @throws ScoreBatchError `configuration` if they differ
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
  if (open.partial === 'next') open.partial = partialFrom(record, options);
  const event = options.decode(record);
  if ('reason' in event) {
    window.skipTo(record.offset + 1);
    if (isTold) reject(record, event, written, rejectAs);
    return;
  }
  const other = places.see(event.key, partition);
  if (other !== undefined) throw inTwoPartitions(options.settings.input, other, partition, record.offset);
  const verdict = window.add(event);
  if (verdict === 'accepted') {
    if (!isNew && wasScored(event, open, options)) return;
    // As of event it waits, and must not keep the buffer of the whole fetch.
    open.unscored.set(record.offset, options.settings.features.asOf === 'event' ? copyOf(record) : record);
    open.unscoredBytes += bytesOf(record);
  } else if (isTold) {
    if (verdict === 'duplicate') written.duplicates += 1;
    else reject(record, { reason: verdict, time: event.time }, written, rejectAs);
  }
}

/** @param first record that is read; its producer's clock may be wrong, or use another unit than milliseconds */
function partialFrom(first: LogRecord, { clock, settings }: Pick<FlowOptions, 'clock' | 'settings'>): number {
  return partialUntil(Math.max(0, Math.min(first.timestamp, clock.now() + AHEAD_MS)), settings.features);
}

/** Must match the window's decision for events that were accepted before the checkpoint. */
function wasScored(
  { offset, time }: { readonly offset: number; readonly time: number },
  { checkpoint: { frontier, flushed } }: OpenPartition,
  { settings }: Pick<FlowOptions, 'settings'>,
): boolean {
  return settings.features.asOf === 'arrival' || offset < flushed || (frontier !== null && time < frontier);
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
    hint: 'let producers choose the partition by the key alone, and start with a new `group`, `--start` and `--accept-new-group`: the windows of the key would be wrong',
    details: [`offset ${offset} of partition ${other}`],
  });
}

function createQueue(): WorkTools['exclusively'] {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work, work);
    last = turn.catch(() => undefined);
    return turn;
  };
}

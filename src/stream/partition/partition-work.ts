import { ScoreBatchError } from '../../errors.ts';
import { type Committed, type LogBatch, type LogRecord, type PartitionProducer, TooLargeError } from '../log.ts';
import type { Scorer } from '../scorer.ts';
import type { KeyPlaces } from './key-places.ts';
import { checksumOf, encodeMetadata, rulesOf } from './metadata.ts';
import { type OpenPartition, reachable } from './open-partition.ts';
import type { FlowOptions } from './ports.ts';
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

/** Records are read and scored by so many, so that what is made of them is garbage soon, whatever the size of a transaction. */
const PART_RECORDS = 1024;

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

interface WorkTools extends Tools {
  /**
   * One partition at a time is read and scored, while transactions of others are on their way: there is one thread and one scorer, and
   * less is in memory at once.
   */
  readonly exclusively: <T>(work: () => Promise<T>) => Promise<T>;
}

export function workOn(given: Tools): PartitionWork {
  const tools = { ...given, exclusively: createQueue() };
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
      observer.rebuilt(open.partition, open.window.events, clock.now() - open.openedAt);
    },
    flush: (open) => tools.scorers.use((scorer) => flush(open, scorer, tools)),
  };
}

/** @param next of the batch, if these are its last records */
async function transact(
  open: OpenPartition,
  records: readonly LogRecord[],
  next: number,
  scorer: Scorer,
  tools: WorkTools,
): Promise<void> {
  const written = nothingWritten();
  let fresh = false;
  await tools.exclusively(async () => {
    for (let start = 0; start < records.length; start += PART_RECORDS) {
      for (const record of records.slice(start, start + PART_RECORDS)) {
        if (!compare(open, record, tools)) continue;
        read(open, record, written, scorer, tools);
        if (record.offset < open.checkpoint.position) continue;
        fresh = true;
        open.last = record;
      }
      if (fresh) await scoreDue(takeDue(open, false, tools), written, scoringOf(open, scorer, tools));
    }
  });
  passOver(open, next);
  if (!fresh) return;
  open.readAt = tools.options.clock.now();
  await commit(open, written, scorer, tools);
}

async function flush(open: OpenPartition, scorer: Scorer, tools: WorkTools): Promise<void> {
  const due = takeDue(open, true, tools);
  if (due.length === 0) return;
  const written = nothingWritten();
  await tools.exclusively(() => scoreDue(due, written, scoringOf(open, scorer, tools)));
  await commit(open, written, scorer, tools);
}

function takeDue(open: OpenPartition, idle: boolean, { options }: Tools): DueRecord[] {
  return open.window
    .takeDue(idle)
    .map((due): DueRecord => ({ due, record: takeRecord(open, due.event.offset) }))
    .filter(({ due }) => isWithin(options.stretch, due.event.time));
}

function scoringOf({ partition }: OpenPartition, scorer: Scorer, { options }: Tools): ScoringOptions {
  return { ...options, partition, scorer, batchEvents: options.settings.limits.batchEvents };
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
    open.unscored.set(record.offset, record);
    open.unscoredBytes += (record.value?.length ?? 0) + RECORD_BYTES;
  } else if (isTold) {
    if (verdict === 'duplicate') written.duplicates += 1;
    else reject(record, { reason: verdict, time: event.time }, written, rejectAs);
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

async function commit(open: OpenPartition, written: Written, scorer: Scorer, { options }: Tools): Promise<void> {
  const { partition, window, producer } = open;
  const { clock, observer, settings } = options;
  const { features } = settings;
  const checkpoint = window.checkpoint();
  const modelSince = scorer.digest === open.model ? open.modelSince : open.committed.offset;
  const last = open.last === undefined ? open.lastCommitted : { offset: open.last.offset, checksum: checksumOf(open.last) };
  const committed = {
    offset: checkpoint.position,
    metadata: encodeMetadata({
      checkpoint,
      partitions: open.partitions,
      last,
      features: features.digest,
      rules: rulesOf(features),
      model: scorer.digest,
      modelSince,
      scope: options.stretch?.scope,
    }),
  };
  const began = clock.now();
  await send(producer, written, committed, { ...options, partition, scorer });
  open.committed = committed;
  open.lastCommitted = last;
  open.model = scorer.digest;
  open.modelSince = modelSince;
  observer.committed(partition, {
    position: committed.offset,
    events: written.events,
    at: began,
    ms: clock.now() - began,
    duplicates: written.duplicates,
    rejected: written.rejected,
  });
}

/** A score that is too large becomes a dead letter. */
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
      if (!(error instanceof TooLargeError) || !replaceTooLarge(error.record, written, options)) throw error;
    }
  }
}

function takeRecord(open: OpenPartition, offset: number): LogRecord {
  const record = open.unscored.get(offset);
  if (record === undefined) throw new Error(`an event is due that was scored before: offset ${offset}`);
  open.unscored.delete(offset);
  open.unscoredBytes -= (record.value?.length ?? 0) + RECORD_BYTES;
  return record;
}

function inTwoPartitions(topic: string, one: number, other: number, offset: number): ScoreBatchError {
  return new ScoreBatchError('configuration', `a key of topic ${topic} is in partition ${one} and in partition ${other}`, {
    hint: 'its windows would be wrong: let producers choose the partition by the key alone, and start with a new `group`',
    details: [`offset ${offset} of partition ${other}`],
  });
}

/** @returns runs work one after the other, whether or not what came before failed */
function createQueue(): WorkTools['exclusively'] {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work, work);
    last = turn.catch(() => undefined);
    return turn;
  };
}

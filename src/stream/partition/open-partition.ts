import { ScoreBatchError } from '../../errors.ts';
import type { EventFeatures } from '../../event-features/definition.ts';
import {
  type Committed,
  type LogBatch,
  type LogRecord,
  type PartitionProducer,
  type TopicFacts,
  TransactionError,
} from '../log.ts';
import type { PartitionWindow, WindowCheckpoint } from '../partition-window.ts';
import { describeInput } from './input-topic.ts';
import { encodeMetadata, type LastRecord, rulesOf } from './metadata.ts';
import type { FlowOptions } from './ports.ts';
import { madeAgain, resume } from './resume.ts';

/** A partition whose outputs only this process can write, as far as it knows. */
export interface OpenPartition {
  readonly partition: number;
  readonly producer: PartitionProducer;
  readonly window: PartitionWindow;
  /** The offset that is read first: records before `checkpoint.replay.offset` are only compared with `expected`. */
  readonly from: number;
  /** As it was committed: events from its position on are new. */
  readonly checkpoint: WindowCheckpoint;
  /** Must come before any later record. */
  expected: LastRecord | undefined;
  readonly openedAt: number;
  /** Partitions of the topic. */
  readonly partitions: number;
  /** What the group has committed. */
  committed: Committed;
  /** The last record before the committed offset, and the last one that was read since. */
  lastCommitted: LastRecord | null;
  last: LogRecord | undefined;
  model: string;
  modelSince: number;
  /** Records of accepted events that are not scored yet, by offset: a dead letter needs the record. */
  readonly unscored: Map<number, LogRecord>;
  unscoredBytes: number;
  /** Of the newest batch; undefined before the first. */
  newest: Pick<LogBatch, 'next' | 'end'> | undefined;
  /** Epoch milliseconds of the last new record. */
  readAt: number;
  /** Whether `rebuilt` was told. */
  complete: boolean;
  cancelIdle: (() => void) | undefined;
}

/**
 * Fences earlier writers of the partition, reads what is committed, and prepares the window.
 *
 * @param anew begins at the start, whatever is committed
 * @param known whether this process had it open before, so that something is committed
 * @throws FencedError or TransactionError if it should be tried again
 * @throws ScoreBatchError `configuration` if it cannot be scored exactly
 */
export async function openPartition(
  partition: number,
  model: string,
  options: Omit<FlowOptions, 'onFatal'>,
  { anew = false, known = false }: { readonly anew?: boolean; readonly known?: boolean } = {},
): Promise<OpenPartition> {
  const { log, settings, clock, windowOf } = options;
  const { group, input: topic, features, limits } = settings;
  const producer = await reachable(log.openProducer(`${group}-${topic}-${partition}`, { group, topic, partition }));
  try {
    const first = anew ? undefined : await reachable(producer.committed());
    // With a topic Kafka deletes what groups have committed of it. Starting over would mix its scores with the earlier ones.
    if (first === undefined && known) {
      throw madeAgain(`group ${group}, partition ${partition} of topic ${topic}`, 'Kafka has forgotten the committed offset');
    }
    const facts = await reachable(describeInput(log, topic, features));
    const committed = first ?? (await begin(producer, partition, facts, model, options));
    const { checkpoint, from, expected, metadata } = await reachable(
      resume(committed, facts, { ...options, group, topic, partition, features }),
    );
    return {
      partition,
      producer,
      window: windowOf(features, { eventsPerKey: limits.eventsPerKey }, checkpoint),
      from,
      checkpoint,
      expected,
      openedAt: clock.now(),
      partitions: facts.partitions.length,
      committed,
      lastCommitted: metadata.last,
      last: undefined,
      model: metadata.model,
      modelSince: metadata.modelSince,
      unscored: new Map(),
      unscoredBytes: 0,
      newest: undefined,
      readAt: clock.now(),
      complete: false,
      cancelIdle: undefined,
    };
  } catch (error) {
    void producer.close().catch(() => undefined);
    throw error;
  }
}

/** The begin of a group is committed before anything else, so that it does not move if the process ends before its first event. */
async function begin(
  producer: PartitionProducer,
  partition: number,
  facts: TopicFacts,
  model: string,
  { settings, start, stretch }: Pick<FlowOptions, 'settings' | 'start' | 'stretch'>,
): Promise<Committed> {
  const place = facts.partitions.find((one) => one.partition === partition);
  const at = typeof start === 'object' ? start.get(partition) : start === 'earliest' ? place?.begin : place?.end;
  const offset = at ?? 0;
  const metadata = firstMetadata(offset, facts.partitions.length, settings.features, model, stretch?.scope);
  const committed = { offset, metadata };
  await reachable(producer.commit({ records: [], ...committed }));
  return committed;
}

function firstMetadata(
  offset: number,
  partitions: number,
  features: EventFeatures,
  model: string,
  scope: string | undefined,
): string {
  const checkpoint = { position: offset, replay: { offset, maximum: null }, maximum: null, frontier: null, flushed: 0 };
  return encodeMetadata({
    checkpoint,
    partitions,
    last: null,
    features: features.digest,
    rules: rulesOf(features),
    model,
    modelSince: offset,
    scope,
  });
}

/** Brokers that do not answer are a reason to try again. */
export async function reachable<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ScoreBatchError && error.kind === 'unavailable') {
      throw new TransactionError(error.message, { cause: error });
    }
    throw error;
  }
}

import type { Committed, LogBatch, LogRecord, PartitionProducer } from '../log.ts';
import type { PartitionWindow, WindowCheckpoint } from '../partition-window.ts';
import { begin } from './begin.ts';
import { describeInput } from './input-topic.ts';
import { type LastRecord, ownerOf, type PartitionMetadata } from './metadata.ts';
import type { FlowOptions } from './ports.ts';
import { reachable } from './reachable.ts';
import { madeAgain, resume } from './resume.ts';

/** A partition whose outputs only this process can write, as far as it knows. */
export interface OpenPartition {
  readonly partition: number;
  readonly producer: PartitionProducer;
  readonly window: PartitionWindow;
  /** The first offset to read: records before `checkpoint.replay.offset` are only compared with `expected`. */
  readonly from: number;
  /** As committed: events from its position on are new. */
  readonly checkpoint: WindowCheckpoint;
  /** Must be read before any later record. */
  expected: LastRecord | undefined;
  /** When it was opened; `readAt`: when the last new record was read. Both by `FlowClock.elapsed`. */
  readonly openedAt: number;
  /** Number of partitions of the topic. */
  readonly partitions: number;
  /** What the group has committed. */
  committed: Committed;
  /** The last record before the committed offset, and the last one that was read since. */
  lastCommitted: LastRecord | null;
  last: LogRecord | undefined;
  model: string;
  modelSince: number;
  /** Whether the group had committed nothing for it. */
  readonly begins: boolean;
  /** As committed at first, then updated from records. */
  partial: PartitionMetadata['partial'];
  /** Records of accepted events that are not scored yet, by offset: dead letters need the record. */
  readonly unscored: Map<number, LogRecord>;
  unscoredBytes: number;
  /** From the newest batch; undefined before the first. */
  newest: Pick<LogBatch, 'next' | 'end'> | undefined;
  /** Of the log, when it was last looked at. */
  end: number;
  readAt: number;
  /** Whether `rebuilt` was called. */
  complete: boolean;
  cancelIdle: (() => void) | undefined;
}

/**
 * Fences earlier writers of the partition, reads what is committed, and prepares the window.
 *
 * @param model see `modelOf`
 * @param anew begins at the start, whatever is committed
 * @param known whether this process opened it before, so that something must be committed
 * @throws FencedError or TransactionError if opening should be retried
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
    // Kafka deletes a topic's committed offsets with the topic. Starting over would mix new scores with earlier ones.
    if (first === undefined && known) {
      throw madeAgain(`group ${group}, partition ${partition} of topic ${topic}`, 'Kafka has forgotten the committed offset');
    }
    const facts = await reachable(describeInput(log, topic, features));
    const committed = first ?? (await begin(producer, partition, facts, model, options));
    const { checkpoint, from, expected, metadata, partial } = await reachable(
      resume(committed, facts, {
        ...options,
        group,
        topic,
        partition,
        features,
        messageBytes: limits.messageBytes,
        owner: ownerOf(settings),
      }),
    );
    return {
      partition,
      producer,
      window: windowOf(features, { eventsPerKey: limits.eventsPerKey }, checkpoint),
      from,
      checkpoint,
      expected,
      openedAt: clock.elapsed(),
      partitions: facts.partitions.length,
      committed,
      lastCommitted: metadata.last,
      last: undefined,
      model: metadata.model,
      modelSince: metadata.modelSince,
      begins: first === undefined,
      partial,
      unscored: new Map(),
      unscoredBytes: 0,
      newest: undefined,
      end: facts.partitions.find((one) => one.partition === partition)?.end ?? 0,
      readAt: clock.elapsed(),
      complete: false,
      cancelIdle: undefined,
    };
  } catch (error) {
    void producer.close().catch(() => undefined);
    throw error;
  }
}

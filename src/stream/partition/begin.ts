import { type EventFeatures, horizonMs } from '../../event-features/definition.ts';
import type { Committed, PartitionProducer, TopicFacts } from '../log.ts';
import type { WindowCheckpoint } from '../partition-window.ts';
import { MARGIN_MS, refuseMovedKeys } from './input-topic.ts';
import { lookAtCommitted } from './look.ts';
import { decodingOf, encodeMetadata, ownerOf, type PartitionMetadata, parseMetadata, rulesOf } from './metadata.ts';
import type { FlowOptions } from './ports.ts';
import { reachable } from './reachable.ts';

interface Begin {
  readonly checkpoint: WindowCheckpoint;
  readonly partial: PartitionMetadata['partial'];
}

/**
 * Commits where a group begins before anything else, so that it does not move if the process ends before its first event.
 *
 * @param model see `modelOf`
 * @throws ScoreBatchError `configuration` if the group began with another number of partitions
 */
export async function begin(
  producer: PartitionProducer,
  partition: number,
  facts: TopicFacts,
  model: string,
  options: Omit<FlowOptions, 'onFatal'>,
): Promise<Committed> {
  const { settings, stretch } = options;
  const { features, limits } = settings;
  const { checkpoint, partial } = await beginOf(partition, facts, options);
  const offset = checkpoint.position;
  const metadata = encodeMetadata({
    checkpoint,
    partitions: facts.partitions.length,
    last: null,
    pending: offset,
    partial,
    features: features.digest,
    rules: rulesOf(features),
    decoding: decodingOf(features, limits.messageBytes),
    model,
    modelSince: offset,
    scope: stretch?.scope,
    owner: ownerOf(settings),
  });
  await reachable(producer.commit({ records: [], offset, metadata }));
  return { offset, metadata };
}

/** A replay begins at the offset of `start`, a group without commits with the windows that the log still has. */
async function beginOf(partition: number, facts: TopicFacts, options: Omit<FlowOptions, 'onFatal'>): Promise<Begin> {
  const { log, settings, start, clock } = options;
  const { features, input } = settings;
  if (typeof start === 'object') return { checkpoint: readFrom(start.get(partition) ?? 0), partial: null };
  await refuseOtherBegin(partition, facts, options);
  const { begin: first, end } = facts.partitions.find((one) => one.partition === partition) ?? { begin: 0, end: 0 };
  if (start === 'earliest') return { checkpoint: readFrom(first), partial: first > 0 ? 'next' : null };
  // Twice what windows need, so that events from now on have whole windows although those before `oldest` are not read.
  const oldest = Math.max(0, clock.now() - 4 * horizonMs(features) - features.skewMs - MARGIN_MS);
  const from = Math.min(end, await reachable(log.offsetAt(input, partition, oldest)));
  const checkpoint = { ...readFrom(from), position: end, flushed: features.asOf === 'event' ? end : 0 };
  return { checkpoint, partial: from === 0 ? null : from <= first ? 'next' : partialUntil(oldest, features) };
}

/**
 * Time of the last event whose score may lack an event that was not read.
 *
 * @param timestamp Kafka's; all later records are read
 */
export function partialUntil(timestamp: number, features: EventFeatures): number {
  return timestamp + features.skewMs + 2 * horizonMs(features);
}

function readFrom(offset: number): WindowCheckpoint {
  return { position: offset, replay: { offset, maximum: null }, maximum: null, frontier: null, flushed: 0 };
}

/**
 * Checks the first partition, which always exists: an added partition has nothing committed, and may be the only one of this
 * process.
 */
async function refuseOtherBegin(
  partition: number,
  { partitions }: TopicFacts,
  { log, settings }: Pick<FlowOptions, 'log' | 'settings'>,
): Promise<void> {
  if (partition === 0) return;
  const { group, input: topic } = settings;
  const committed = await lookAtCommitted(log, { group, topic, partition: 0 });
  if (committed === undefined) return;
  const where = `group ${group}, partition 0 of topic ${topic}`;
  refuseMovedKeys(topic, parseMetadata(committed.metadata, committed.offset, where).partitions, partitions.length);
}

import { ScoreBatchError } from '../../errors.ts';
import type { EventFeatures } from '../../event-features/definition.ts';
import { type Committed, type PartitionProducer, TooLargeError } from '../log.ts';
import type { Scorer } from '../scorer.ts';
import { checksumOf, decodingOf, encodeMetadata, modelOf, ownerOf, rulesOf } from './metadata.ts';
import type { OpenPartition } from './open-partition.ts';
import type { FlowOptions } from './ports.ts';
import { reachable } from './reachable.ts';
import { replaceTooLarge, type ScoringOptions, type Written } from './scoring.ts';

/**
 * Commits the outputs of a partition with its position, in one transaction.
 *
 * @throws FencedError or TransactionError if the partition must be opened again
 * @throws ScoreBatchError `configuration` if a dead letter is too large
 */
export async function commit(
  open: OpenPartition,
  written: Written,
  scorer: Scorer,
  options: Omit<FlowOptions, 'onFatal'>,
): Promise<void> {
  const { partition, window, producer } = open;
  const { clock, observer, settings } = options;
  const { features, limits } = settings;
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
      scope: options.stretch?.scope,
      owner: ownerOf(settings),
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

/** Null once no event that can still come is affected. */
function partialAfter(
  { partial }: OpenPartition,
  maximum: number | null,
  { latenessMs }: EventFeatures,
): OpenPartition['partial'] {
  return typeof partial === 'number' && maximum !== null && maximum - latenessMs > partial ? null : partial;
}

/** The map is in the order of offsets. */
function firstUnscored({ unscored }: OpenPartition, position: number): number {
  const first = unscored.keys().next();
  return first.done === true ? position : first.value;
}

/**
 * Replaces a score that is too large by a dead letter.
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
  return new ScoreBatchError('configuration', `Kafka refused a dead letter: it is larger than topic ${topic} accepts`, {
    hint: `raise max.message.bytes of ${topic}: dead letters take a few hundred bytes`,
    cause,
  });
}

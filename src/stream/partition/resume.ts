import { ScoreBatchError } from '../../errors.ts';
import { type EventFeatures, horizonMs } from '../../event-features/definition.ts';
import type { Committed, Log, TopicFacts } from '../log.ts';
import type { WindowCheckpoint } from '../partition-window.ts';
import { refuseMovedKeys } from './input-topic.ts';
import { decodingOf, type LastRecord, type PartitionMetadata, parseMetadata, rulesOf } from './metadata.ts';

/** Where a partition continues. */
export interface Resumption {
  readonly checkpoint: WindowCheckpoint;
  /** The offset to read from: at most `checkpoint.replay.offset`. */
  readonly from: number;
  /** Must be read again, and be the same; undefined if there is none, or the log has dropped it. */
  readonly expected: LastRecord | undefined;
  readonly metadata: PartitionMetadata;
  /** See `PartitionMetadata.partial`. */
  readonly partial: PartitionMetadata['partial'];
  /** Other records are events than when they were read: those that are none now, from `pending` on, are not scored yet. */
  readonly decodesAnew: boolean;
}

export interface ResumeOptions {
  readonly log: Log;
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly features: EventFeatures;
  readonly messageBytes: number;
  readonly acceptFeatures: boolean;
}

/**
 * @param committed read after the producer was opened, and `facts` after that
 * @throws ScoreBatchError `configuration` if the windows cannot be rebuilt exactly
 */
export async function resume(committed: Committed, facts: TopicFacts, options: ResumeOptions): Promise<Resumption> {
  const { topic, partition, group } = options;
  const where = `group ${group}, partition ${partition} of topic ${topic}`;
  const metadata = parseMetadata(committed.metadata, committed.offset, where);
  refuseMovedKeys(topic, metadata.partitions, facts.partitions.length);
  const { begin, end } = facts.partitions.find((one) => one.partition === partition) ?? { begin: 0, end: 0 };
  if (committed.offset > end) throw madeAgain(where, `it was read up to offset ${committed.offset}, and ends at ${end}`);
  const { checkpoint, partial, decodesAnew } = withoutDeleted(await checkpointFor(metadata, where, options), metadata, begin, {
    where,
    features: options.features,
  });
  const expected = metadata.last !== null && metadata.last.offset >= begin ? metadata.last : undefined;
  const from = Math.min(checkpoint.replay.offset, expected?.offset ?? checkpoint.replay.offset);
  return { checkpoint, from, expected, metadata, partial, decodesAnew };
}

interface Rebuild {
  readonly checkpoint: WindowCheckpoint;
  /** By time, not from an offset that was committed. */
  readonly byTime: boolean;
  readonly decodesAnew: boolean;
}

/**
 * What the log has dropped is missing in windows, but not lost if it was scored.
 *
 * @throws ScoreBatchError `configuration` if events were dropped that are not scored
 */
function withoutDeleted(
  { checkpoint, byTime, decodesAnew }: Rebuild,
  metadata: PartitionMetadata,
  begin: number,
  { where, features }: { readonly where: string; readonly features: EventFeatures },
): Pick<Resumption, 'checkpoint' | 'partial' | 'decodesAnew'> {
  if (begin > metadata.pending) {
    throw new ScoreBatchError(
      'configuration',
      `${where}: the log starts at offset ${begin}, but events from ${metadata.pending} on are not scored yet`,
      {
        hint: 'its oldest events were deleted before they were scored: raise retention.ms and retention.bytes, and start with a new `group`',
      },
    );
  }
  const { replay, maximum } = checkpoint;
  const isWhole = byTime ? begin === 0 || replay.offset > begin : replay.offset >= begin;
  if (isWhole) return { checkpoint, partial: metadata.partial, decodesAnew };
  const rest = { ...checkpoint, replay: { ...replay, offset: Math.max(begin, replay.offset) } };
  if (maximum === null) return { checkpoint: rest, partial: metadata.partial, decodesAnew };
  // No event that was dropped is later than the greatest time so far.
  const until = maximum + 2 * horizonMs(features);
  return {
    checkpoint: rest,
    partial: typeof metadata.partial === 'number' ? Math.max(metadata.partial, until) : until,
    decodesAnew,
  };
}

/** @param detail how it is known */
export function madeAgain(where: string, detail: string): ScoreBatchError {
  return new ScoreBatchError('configuration', `${where}: the topic was deleted and recreated, or its records were deleted`, {
    hint: 'start with a new `group`',
    details: [detail],
  });
}

/** Of the windows that were committed, or of other features in their place. */
async function checkpointFor(metadata: PartitionMetadata, where: string, options: ResumeOptions): Promise<Rebuild> {
  const { log, topic, partition, features, messageBytes, acceptFeatures } = options;
  const { checkpoint } = metadata;
  if (metadata.rules !== rulesOf(features)) {
    throw new ScoreBatchError(
      'configuration',
      `${where}: key, id, time, lateness, skew or \`as_of\` of the feature file have changed`,
      {
        hint: 'pending events would be lost or scored twice: start with a new `group`',
      },
    );
  }
  const decodesAnew = metadata.decoding !== decodingOf(features, messageBytes);
  if (metadata.features === features.digest && !decodesAnew) return { checkpoint, byTime: false, decodesAnew };
  if (!acceptFeatures) {
    const what = metadata.features === features.digest ? 'limits.message, or what is an event,' : 'the feature file';
    throw new ScoreBatchError('configuration', `${where}: ${what} has changed`, {
      hint: 'start with a new `group`, or with --accept-features, which rebuilds the windows as it is now',
    });
  }
  if (checkpoint.maximum === null) return { checkpoint, byTime: false, decodesAnew };
  // An event may be ahead of its timestamp by the skew, so that none of a record before this one matters.
  const oldest = checkpoint.maximum - 2 * horizonMs(features) - features.skewMs;
  const offset = Math.min(await log.offsetAt(topic, partition, Math.max(0, oldest)), metadata.pending);
  return { checkpoint: { ...checkpoint, replay: { offset, maximum: null } }, byTime: true, decodesAnew };
}

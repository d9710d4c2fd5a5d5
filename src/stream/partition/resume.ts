import { ScoreBatchError } from '../../errors.ts';
import { type EventFeatures, horizonMs } from '../../event-features/definition.ts';
import type { Committed, Log, TopicFacts } from '../log.ts';
import type { WindowCheckpoint } from '../partition-window.ts';
import { refuseMovedKeys } from './input-topic.ts';
import { type LastRecord, type PartitionMetadata, parseMetadata, rulesOf } from './metadata.ts';

/** Where a partition continues. */
export interface Resumption {
  readonly checkpoint: WindowCheckpoint;
  /** The offset to read from: at most `checkpoint.replay.offset`. */
  readonly from: number;
  /** Must be read again, and be the same; undefined if there is none, or the log has dropped it. */
  readonly expected: LastRecord | undefined;
  readonly metadata: PartitionMetadata;
}

export interface ResumeOptions {
  readonly log: Log;
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly features: EventFeatures;
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
  const checkpoint = await checkpointFor(metadata, where, options);
  if (checkpoint.replay.offset < begin) {
    throw new ScoreBatchError(
      'configuration',
      `${where}: the log starts at offset ${begin}, but its windows begin at ${checkpoint.replay.offset}`,
      {
        hint: 'its oldest events were deleted while they were in windows: raise retention.ms and retention.bytes, and start with a new `group`',
      },
    );
  }
  const expected = metadata.last !== null && metadata.last.offset >= begin ? metadata.last : undefined;
  const from = Math.min(checkpoint.replay.offset, expected?.offset ?? checkpoint.replay.offset);
  return { checkpoint, from, expected, metadata };
}

/** @param detail how it is known */
export function madeAgain(where: string, detail: string): ScoreBatchError {
  return new ScoreBatchError('configuration', `${where}: the topic was deleted and recreated, or its records were deleted`, {
    hint: 'start with a new `group`',
    details: [detail],
  });
}

/** Of the windows that were committed, or of other features in their place. */
async function checkpointFor(metadata: PartitionMetadata, where: string, options: ResumeOptions): Promise<WindowCheckpoint> {
  const { log, topic, partition, features, acceptFeatures } = options;
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
  if (metadata.features === features.digest) return checkpoint;
  if (!acceptFeatures) {
    throw new ScoreBatchError('configuration', `${where}: the feature file has changed`, {
      hint: 'start with a new `group`, or with --accept-features, which rebuilds the windows with the new features',
    });
  }
  if (checkpoint.maximum === null) return checkpoint;
  // An event may be ahead of its timestamp by the skew, so that none of a record before this one matters.
  const oldest = checkpoint.maximum - 2 * horizonMs(features) - features.skewMs;
  const offset = Math.min(await log.offsetAt(topic, partition, Math.max(0, oldest)), checkpoint.position);
  return { ...checkpoint, replay: { offset, maximum: null } };
}

import { ScoreBatchError } from '../../errors.ts';
import { type EventFeatures, horizonMs } from '../../event-features/definition.ts';
import type { Committed, Log, TopicFacts } from '../log.ts';
import type { WindowCheckpoint } from '../partition-window.ts';
import { refuseMovedKeys } from './input-topic.ts';
import { decodesAs, type LastRecord, type Owner, type PartitionMetadata, parseMetadata, rulesOf } from './metadata.ts';

/** Where and how a partition continues. */
export interface Resumption {
  readonly checkpoint: WindowCheckpoint;
  /** The offset to read from: at most `checkpoint.replay.offset`. */
  readonly from: number;
  /** Must be read again and be unchanged; undefined if there is none, or the log has dropped it. */
  readonly expected: LastRecord | undefined;
  readonly metadata: PartitionMetadata;
  /** See `PartitionMetadata.partial`. */
  readonly partial: PartitionMetadata['partial'];
}

export interface ResumeOptions {
  readonly log: Log;
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly features: EventFeatures;
  readonly messageBytes: number;
  readonly acceptFeatures: boolean;
  readonly owner: Owner;
}

/**
 * @param committed read after the producer was opened; `facts` were read after it
 * @throws ScoreBatchError `configuration` if the windows cannot be rebuilt exactly
 */
export async function resume(committed: Committed, facts: TopicFacts, options: ResumeOptions): Promise<Resumption> {
  const { topic, partition, group } = options;
  const where = `group ${group}, partition ${partition} of topic ${topic}`;
  const metadata = parseMetadata(committed.metadata, committed.offset, where);
  refuseOtherJob(group, metadata.owner, options.owner);
  refuseMovedKeys(topic, metadata.partitions, facts.partitions.length);
  const { begin, end } = facts.partitions.find((one) => one.partition === partition) ?? { begin: 0, end: 0 };
  if (committed.offset > end) throw madeAgain(where, `it was read up to offset ${committed.offset}, but ends at ${end}`);
  const { checkpoint, partial } = withoutDeleted(await checkpointFor(metadata, where, options), metadata, begin, {
    where,
    features: options.features,
  });
  const expected = metadata.last !== null && metadata.last.offset >= begin ? metadata.last : undefined;
  const from = Math.min(checkpoint.replay.offset, expected?.offset ?? checkpoint.replay.offset);
  return { checkpoint, from, expected, metadata, partial };
}

interface Rebuild {
  readonly checkpoint: WindowCheckpoint;
  /** Whether the replay offset was found by time instead of taken from a commit. */
  readonly byTime: boolean;
}

/**
 * Adjusts for records that the log dropped: windows lack them, but they are lost only if they were not scored.
 *
 * @throws ScoreBatchError `configuration` if the log dropped events that were not scored
 */
function withoutDeleted(
  { checkpoint, byTime }: Rebuild,
  metadata: PartitionMetadata,
  begin: number,
  { where, features }: { readonly where: string; readonly features: EventFeatures },
): Pick<Resumption, 'checkpoint' | 'partial'> {
  if (begin > metadata.pending) {
    throw new ScoreBatchError(
      'configuration',
      `${where}: the log starts at offset ${begin}, but events from offset ${metadata.pending} on have not been scored yet`,
      {
        hint: 'raise retention.ms and retention.bytes, and start with a new `group`, `--start` and `--accept-new-group`: the oldest events were deleted before they were scored',
      },
    );
  }
  const { replay, maximum } = checkpoint;
  const isWhole = byTime ? begin === 0 || replay.offset > begin : replay.offset >= begin;
  if (isWhole) return { checkpoint, partial: metadata.partial };
  const rest = { ...checkpoint, replay: { ...replay, offset: Math.max(begin, replay.offset) } };
  if (maximum === null) return { checkpoint: rest, partial: metadata.partial };
  // No dropped event is later than the maximum so far.
  const until = maximum + 2 * horizonMs(features);
  return {
    checkpoint: rest,
    partial: typeof metadata.partial === 'number' ? Math.max(metadata.partial, until) : until,
  };
}

/** Two jobs of one group would split the events between them: each would lack those that the other has scored. */
function refuseOtherJob(group: string, before: Owner | undefined, { job, scores }: Owner): void {
  if (before === undefined || before.job === job || before.scores === scores) return;
  throw new ScoreBatchError(
    'configuration',
    `group ${group} belongs to the job ${before.job}, which writes its scores to ${before.scores}`,
    { hint: 'set `group` in the job file to a name that no other job uses' },
  );
}

/** @param detail how it was noticed */
export function madeAgain(where: string, detail: string): ScoreBatchError {
  return new ScoreBatchError('configuration', `${where}: the topic was deleted and recreated, or its records were deleted`, {
    hint: 'start with a new `group`, `--start earliest` and `--accept-new-group`',
    details: [detail],
  });
}

/** The committed checkpoint, or one that rebuilds the windows with changed features. */
async function checkpointFor(metadata: PartitionMetadata, where: string, options: ResumeOptions): Promise<Rebuild> {
  const { log, topic, partition, features, messageBytes, acceptFeatures } = options;
  const { checkpoint: committed } = metadata;
  if (metadata.rules !== rulesOf(features)) {
    throw new ScoreBatchError(
      'configuration',
      `${where}: key, id, time, lateness, skew or \`as_of\` has changed in the feature file`,
      {
        hint:
          features.asOf === 'event'
            ? 'start with a new `group`, `--start` and `--accept-new-group`: in this one, pending events would be lost or scored twice'
            : 'start with a new `group`, `--start` and `--accept-new-group`: in this one, the earlier values decided which events are late, and which are duplicates',
      },
    );
  }
  const decodesAnew = !decodesAs(metadata, features, messageBytes);
  if (metadata.features === features.digest && !decodesAnew) return { checkpoint: committed, byTime: false };
  const what = metadata.features === features.digest ? 'limits.message or the definition of an event' : 'the feature file';
  if (features.asOf === 'event' && decodesAnew && metadata.pending < committed.position) throw undecided(where, what);
  if (!acceptFeatures) {
    throw new ScoreBatchError('configuration', `${where}: ${what} has changed`, {
      hint: 'start with a new `group`, `--start` and `--accept-new-group`; or with --accept-features, which rebuilds the windows with the change',
    });
  }
  // Nothing waits: what is an event only now has its dead letter already, or was counted as a duplicate.
  const checkpoint = features.asOf === 'event' && decodesAnew ? { ...committed, flushed: committed.position } : committed;
  if (checkpoint.maximum === null) return { checkpoint, byTime: false };
  // An event may be ahead of its timestamp by the skew, so no record before this timestamp matters.
  const oldest = checkpoint.maximum - 2 * horizonMs(features) - features.skewMs;
  const offset = Math.min(await log.offsetAt(topic, partition, Math.max(0, oldest)), metadata.pending);
  return { checkpoint: { ...checkpoint, replay: { offset, maximum: null } }, byTime: true };
}

/** Among what waits are records that were rejected, and duplicates: what is committed does not say which. */
function undecided(where: string, what: string): ScoreBatchError {
  return new ScoreBatchError(
    'configuration',
    `${where}: ${what} has changed, so other records may be events or duplicates, and events are waiting to be scored`,
    {
      hint:
        'undo the change, set `idle`, pause the producers, and run the stream until score_batch_stream_pending_events is 0; ' +
        'then start with the change and --accept-features. Or start with a new `group`, `--start` and `--accept-new-group`',
    },
  );
}

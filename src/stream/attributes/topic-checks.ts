import { ScoreBatchError } from '../../errors.ts';
import type { TopicFacts } from '../log.ts';

/** An hour. */
const DEFAULT_MAX_LAG_MS = 3_600_000;

export interface TopicNeeds {
  readonly topic: string;
  readonly horizonMs: number;
  readonly maxLagMs: number | undefined;
}

/**
 * A score names the version of its attributes, and SQL later loads that version from the topic. So compaction must leave it
 * there for as long as an event may wait in a window plus the consumer's lag.
 *
 * @throws ScoreBatchError `configuration` if the topic does not keep the newest row of each key, or compacts older versions too
 * soon
 */
export function checkTopic(
  facts: TopicFacts | undefined,
  { topic, horizonMs, maxLagMs = DEFAULT_MAX_LAG_MS }: TopicNeeds,
): TopicFacts {
  if (facts === undefined) {
    throw new ScoreBatchError('configuration', `the attribute topic ${topic} does not exist`, {
      hint: `create it with cleanup.policy=compact, or correct attributes.topic in the job file`,
    });
  }
  if (!facts.compacted || facts.deletes) {
    throw new ScoreBatchError(
      'configuration',
      facts.compacted
        ? `the attribute topic ${topic} is compacted but also deletes old records, and with them rows that keys still have`
        : `the attribute topic ${topic} is not compacted, so it does not keep the newest row of each key`,
      { hint: alter(topic, 'cleanup.policy=compact') },
    );
  }
  const needed = horizonMs + maxLagMs;
  const lag = facts.minCompactionLagMs ?? 0;
  if (lag >= needed) return facts;
  throw new ScoreBatchError(
    'configuration',
    `the attribute topic ${topic} may compact rows after ${lag} ms, but scores may name them for ${needed} ms`,
    {
      details: [
        `that is the longest window plus lateness (${horizonMs} ms) plus attributes.max_lag (${maxLagMs} ms)`,
        'a version that was compacted away can no longer be joined to its scores',
      ],
      hint: alter(topic, `min.compaction.lag.ms=${needed}`),
    },
  );
}

function alter(topic: string, setting: string): string {
  return `run \`kafka-configs.sh --bootstrap-server HOST:PORT --alter --entity-type topics --entity-name ${topic} --add-config ${setting}\``;
}

/**
 * @param read next offset of each partition
 * @throws ScoreBatchError `configuration` if this is no longer the topic that was read
 */
export function checkSame(
  topic: string,
  facts: TopicFacts | undefined,
  before: TopicFacts,
  read: ReadonlyMap<number, number>,
): void {
  if (facts === undefined) throw gone(topic, 'was deleted');
  if (facts.partitions.length !== before.partitions.length) {
    throw new ScoreBatchError(
      'configuration',
      `the attribute topic ${topic} now has ${facts.partitions.length} partitions instead of ${before.partitions.length}`,
      { hint: 'write all rows again to a new topic, and set attributes.topic to it: keys may have moved' },
    );
  }
  for (const { partition, end } of facts.partitions) {
    const next = read.get(partition) ?? 0;
    if (end < next) {
      throw gone(topic, `was deleted and recreated: partition ${partition} ends at offset ${end}, but was read up to ${next}`);
    }
  }
}

function gone(topic: string, what: string): ScoreBatchError {
  return new ScoreBatchError('configuration', `the attribute topic ${topic} ${what}`, {
    hint: 'restore the topic, then restart the stream: without the topic, the attributes are unknown',
  });
}

import { ScoreBatchError } from '../../errors.ts';
import { type EventFeatures, horizonMs } from '../../event-features/definition.ts';
import { showSpan } from '../../event-features/duration.ts';
import type { Log, TopicFacts } from '../log.ts';

/** Time that may pass between a record's arrival and its being read, on top of the windows. */
export const MARGIN_MS = 60_000;

/**
 * @returns facts about the input topic
 * @throws ScoreBatchError `configuration` if it does not exist, or windows could not be rebuilt from it
 */
export async function describeInput(log: Log, topic: string, features: EventFeatures): Promise<TopicFacts> {
  const facts = await log.describe(topic);
  if (facts === undefined) {
    throw new ScoreBatchError('configuration', `the topic ${topic} does not exist`, {
      hint: 'create the topic, or correct `input` in the stream job file',
    });
  }
  if (facts.compacted) {
    throw new ScoreBatchError('configuration', `topic ${topic} is compacted, so events that windows need are deleted`, {
      hint: 'set its cleanup.policy to delete',
    });
  }
  const needed = 2 * horizonMs(features) + MARGIN_MS;
  if (facts.deletes && facts.retentionMs !== undefined && facts.retentionMs < needed) {
    throw new ScoreBatchError(
      'configuration',
      `topic ${topic} keeps records for ${showSpan(facts.retentionMs)}, but windows need ${showSpan(needed)}`,
      {
        hint: `set its retention.ms to ${needed} or more (${showSpan(needed)}): twice the sum of the longest window and lateness, plus a minute`,
      },
    );
  }
  return facts;
}

/** @throws ScoreBatchError `configuration` if the number of partitions changed: keys have moved */
export function refuseMovedKeys(topic: string, earlier: number, now: number): void {
  if (earlier === now) return;
  throw new ScoreBatchError(
    'configuration',
    `topic ${topic} has ${now} partitions instead of ${earlier}, so keys have moved between them`,
    {
      hint: 'wait for as long as the longest window, then start with a new `group`, `--start latest` and `--accept-new-group`: the windows of keys that moved would be wrong',
    },
  );
}

import { ScoreBatchError } from '../../errors.ts';
import { type EventFeatures, horizonMs } from '../../event-features/definition.ts';
import type { Log, TopicFacts } from '../log.ts';

/**
 * A range of event times of the input, `[from, to)` in epoch milliseconds. Only its events are written; others only fill
 * windows.
 */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  /** Digest of everything that decides what is written. It is committed, so that only the same replay continues it. */
  readonly scope: string;
}

/** @param ms event time; for a record that is not an accepted event, Kafka's timestamp */
export function isWithin(stretch: Stretch | undefined, ms: number): boolean {
  return stretch === undefined || (ms >= stretch.from && ms < stretch.to);
}

/**
 * Per partition, the first offset that can matter to an event of the stretch. Events in its window, and events that decide
 * whether those are late or duplicates, have times from `from - 2H` on (docs/event-features.md, "What it reads"), and none is
 * ahead of its timestamp by more than the skew. Records before that offset have smaller timestamps.
 *
 * @throws ScoreBatchError `configuration` if the log may have dropped such a record
 */
export async function startsOf(
  { from }: Pick<Stretch, 'from'>,
  { log, topic, features }: { readonly log: Log; readonly topic: string; readonly features: EventFeatures },
  { partitions }: Pick<TopicFacts, 'partitions'>,
): Promise<ReadonlyMap<number, number>> {
  const oldest = Math.max(0, from - 2 * horizonMs(features) - features.skewMs);
  const starts = new Map<number, number>();
  for (const { partition, begin } of partitions) {
    const offset = await log.offsetAt(topic, partition, oldest);
    if (begin > 0 && offset <= begin) {
      throw new ScoreBatchError(
        'configuration',
        `partition ${partition} of topic ${topic} starts at offset ${begin}, but windows from --from on need earlier records`,
        { hint: `choose a later --from: this one needs records from ${new Date(oldest).toISOString()} on` },
      );
    }
    starts.set(partition, offset);
  }
  return starts;
}

import { ScoreBatchError } from '../../errors.ts';
import { FencedError } from '../log.ts';

export interface RestartLimits {
  /** The process ends after this many milliseconds without a committed transaction, counted from the first failure. */
  readonly failingMs: number;
  /** How often another process may take a partition away within `fencedMs`. */
  readonly fenced: number;
  readonly fencedMs: number;
}

export const RESTART_LIMITS: RestartLimits = { failingMs: 120_000, fenced: 10, fencedMs: 300_000 };

/** A partition without events commits nothing: this long without a failure after opening counts as success. */
const QUIET_MS = 30_000;
const FIRST_MS = 200;
const LONGEST_MS = 10_000;
/**
 * A fenced process has most likely lost its partition, and opening its producer at once would only fence the new owner. By then
 * the heartbeat has told it.
 */
const FENCED_MS = 3000;

/** Counts failures of partitions, and decides how long each waits before it is opened again. */
export interface Restarts {
  /**
   * @returns milliseconds to wait
   * @throws ScoreBatchError `unavailable` or `conflict` if waiting no longer makes sense
   */
  failed(partition: number, error: Error): number;
  committed(partition: number): void;
  /** It is open again: if it then runs for a while, its next failure is unrelated to earlier ones. */
  opened(partition: number): void;
}

interface Failures {
  /** Failures since the last transaction. */
  count: number;
  since: number;
  /** Time of the newest failure. */
  last: number;
  /** Whether the partition was opened after it. */
  opened: boolean;
  /** Instants at which it was fenced. */
  fenced: number[];
}

/** @param now milliseconds of a monotonic clock */
export function countRestarts(
  topic: string,
  limits: RestartLimits,
  { now, random }: { readonly now: () => number; readonly random: () => number },
): Restarts {
  const partitions = new Map<number, Failures>();
  return {
    failed(partition, error) {
      const at = now();
      const failures = partitions.get(partition) ?? { count: 0, since: at, last: at, opened: false, fenced: [] };
      partitions.set(partition, failures);
      if (failures.opened && at - failures.last > QUIET_MS) failures.count = 0;
      if (failures.count === 0) failures.since = at;
      failures.count += 1;
      failures.last = at;
      failures.opened = false;
      const jitter = 0.5 + random() / 2;
      if (error instanceof FencedError) {
        failures.fenced = [...failures.fenced.filter((instant) => instant > at - limits.fencedMs), at];
        if (failures.fenced.length > limits.fenced) throw takenAway(topic, partition, failures.fenced.length, error);
        return Math.round(jitter * 2 * FENCED_MS);
      }
      if (at - failures.since > limits.failingMs) throw failing(topic, partition, at - failures.since, error);
      return Math.round(jitter * Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures.count - 1, 10)));
    },
    committed(partition) {
      const failures = partitions.get(partition);
      if (failures !== undefined) failures.count = 0;
    },
    opened(partition) {
      const failures = partitions.get(partition);
      if (failures !== undefined) failures.opened = true;
    },
  };
}

function takenAway(topic: string, partition: number, times: number, cause: Error): ScoreBatchError {
  return new ScoreBatchError(
    'conflict',
    `another process took over partition ${partition} of ${topic} ${times} times, although this process is in the group`,
    { hint: 'give each job and tool its own `group`: another job or tool uses this one', cause },
  );
}

function failing(topic: string, partition: number, ms: number, cause: Error): ScoreBatchError {
  return new ScoreBatchError(
    'unavailable',
    `no transaction of partition ${partition} of ${topic} succeeded for ${Math.round(ms / 1000)} s`,
    {
      hint: 'check the brokers; the next start continues after the last committed transaction',
      details: [cause.message],
      cause,
    },
  );
}

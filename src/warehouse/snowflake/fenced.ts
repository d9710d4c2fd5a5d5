import { ScoreBatchError } from '../../errors.ts';
import { backoff, sleep } from '../timeouts.ts';
import { isContention } from './errors.ts';
import { isBroken } from './failure.ts';
import { queryTag, type Session } from './session.ts';
import type { Snowflake } from './snowflake.ts';

/** Result of a transaction, and whether to commit it. */
export interface Outcome<T> {
  readonly commit: boolean;
  readonly result: T;
}

/** State of a transaction that holds a lock. */
export interface HeldLock {
  /**
   * Whether the COMMIT of an earlier attempt had no answer, so that it may or may not have happened. This transaction holds
   * the lock, so the earlier one has ended and its effects, if any, are visible.
   */
  readonly commitUnknown: boolean;
  /**
   * SQL condition that is true only in this transaction. Snowflake ends a transaction that has been idle for minutes and
   * blocks another. Later statements of a suspended process would then commit one by one.
   */
  readonly fence: string;
}

/** What a transaction changes first, so that others wait for it. */
interface Taken {
  /** An UPDATE of a table with one row. Runs once per attempt. */
  readonly sql: string;
  /** True once the UPDATE has run, until the transaction ends without a commit. */
  readonly fence: string;
}

interface FencedOptions {
  readonly runId: string | undefined;
  /** Creates the lock of a new attempt. */
  take(): Taken;
  /** For the message: `the publish lock of churn`. */
  readonly lock: string;
}

/**
 * Attempts of a transaction. Each waits a minute for the lock (see `LOCK_TIMEOUT`). Together that is longer than the five
 * minutes after which Snowflake ends the transaction of a dead client that blocks another.
 */
const ATTEMPTS = 6;

/**
 * Runs `work` in a DML transaction on its own connection. The transaction takes the lock first: under read committed, this
 * UPDATE serializes all transactions that take it. It rolls back if `work` throws, and restarts if another transaction blocked
 * it or the connection broke.
 *
 * Sends statements one by one instead of as a Snowflake Scripting block (BEGIN … END), which no emulator runs and which
 * therefore could not be tested. A client that dies half-way causes a rollback, and a COMMIT without an answer is looked up.
 *
 * @param work must be safe to restart
 * @throws ScoreBatchError `conflict` if other processes hold the lock during all attempts
 */
export async function withFence<T>(
  { client, job, signal }: Snowflake,
  { runId, take, lock }: FencedOptions,
  work: (session: Session, held: HeldLock) => Promise<Outcome<T>>,
): Promise<T> {
  let commitUnknown = false;
  for (let attempt = 1; ; attempt += 1) {
    let committing = false;
    try {
      return await client.once(async (session) => {
        const tag = queryTag(job, runId);
        await session.rows('BEGIN TRANSACTION', { tag });
        try {
          const { sql, fence } = take();
          await session.rows(sql, { tag });
          const { commit, result } = await work(session, { commitUnknown, fence });
          committing = commit;
          await session.rows(commit ? 'COMMIT' : 'ROLLBACK', { tag });
          return result;
        } catch (error) {
          // A failed statement has ended the transaction already; report the first error.
          if (!session.broken) await session.rows('ROLLBACK').catch(() => undefined);
          throw error;
        }
      });
    } catch (error) {
      const broke = isBroken(error);
      commitUnknown ||= committing && broke;
      if (!broke && !isContention(error)) throw error;
      if (attempt === ATTEMPTS && broke) throw error;
      if (attempt === ATTEMPTS) {
        throw new ScoreBatchError('conflict', `another process has held ${lock} for a long time`, {
          details: [error instanceof Error ? error.message : String(error)],
          hint: 'check `show locks` in Snowflake and `score-batch status`, then run the same command again',
          cause: error,
        });
      }
      await sleep(backoff(client.timeouts, attempt), signal);
    }
  }
}

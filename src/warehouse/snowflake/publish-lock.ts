import { randomBytes } from 'node:crypto';
import type { TableName } from '../../domain/table-name.ts';
import { sibling } from '../../domain/table-name.ts';
import type { TableLayout } from '../../domain/tables.ts';
import { ScoreBatchError } from '../../errors.ts';
import { pause } from './client.ts';
import { isContention } from './errors.ts';
import { isBroken } from './failure.ts';
import { nameSuffix, tableIdentifier } from './names.ts';
import { queryTag, type Session } from './session.ts';
import type { Snowflake } from './snowflake.ts';

/** What a transaction did, and whether to keep it. */
export interface Outcome<T> {
  readonly commit: boolean;
  readonly result: T;
}

/** What is known of a transaction that holds the publish lock. */
export interface HeldLock {
  /**
   * Whether a COMMIT of the time before had no answer, so that it may have happened or not. With the publish lock in hand that can be
   * read: whatever was open then is over.
   */
  readonly commitUnknown: boolean;
  /**
   * A condition, as SQL, that is true in this transaction only. Snowflake ends a transaction that is idle for minutes in the
   * way of another; what a process that was stopped sends afterwards would be committed statement by statement.
   */
  readonly fence: string;
}

/**
 * How often a transaction is begun in all. Each time it waits a minute for the lock (see `LOCK_TIMEOUT`), in all longer than the
 * five minutes after which Snowflake ends the transaction of a client that died, if it is in the way of another.
 */
const ATTEMPTS = 6;

/** The publish lock of a job: a one-row table beside the ledger. */
export function lockTable({ job }: Snowflake, ledger: TableLayout): TableName {
  return sibling(ledger.name, `score_batch_lock_${nameSuffix(job)}`);
}

/**
 * One transaction of DML on a connection of its own, which takes the publish lock first: under read committed it is this UPDATE that
 * lets one publisher after the other in. Rolled back where `work` throws. It is begun again where another transaction was in
 * the way, and where the connection broke.
 *
 * The statements are sent one by one and not as a block that runs in the server (BEGIN … END of Snowflake Scripting): no
 * emulator can run such a block, so it could not be tested. What a block would be better at, a client that dies half-way, ends
 * in a rollback here; a COMMIT without an answer is looked up.
 *
 * @param work must bear being begun again
 * @throws ScoreBatchError `conflict` where others hold the publish lock all the time
 */
export async function withPublishLock<T>(
  { client, job, signal }: Snowflake,
  lock: TableName,
  runId: string | undefined,
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
          const token = randomBytes(6).readUIntBE(0, 6);
          await session.rows(`UPDATE ${tableIdentifier(lock)} SET taken = ${token}`, { tag });
          const fence = `(SELECT taken FROM ${tableIdentifier(lock)}) = ${token}`;
          const { commit, result } = await work(session, { commitUnknown: commitUnknown, fence: fence });
          committing = commit;
          await session.rows(commit ? 'COMMIT' : 'ROLLBACK', { tag });
          return result;
        } catch (error) {
          // A statement that failed has ended the transaction already; what counts is the first error.
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
        throw new ScoreBatchError('conflict', `another process has held the publish lock of ${job} for a long time`, {
          details: [error instanceof Error ? error.message : String(error)],
          hint: 'look at `show locks` in Snowflake and at `score-batch status`, then start again',
          cause: error,
        });
      }
      await pause(attempt, signal);
    }
  }
}

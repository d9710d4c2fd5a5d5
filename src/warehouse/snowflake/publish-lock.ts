import { randomBytes } from 'node:crypto';
import type { TableName } from '../../domain/table-name.ts';
import { sibling } from '../../domain/table-name.ts';
import type { TableLayout } from '../../domain/tables.ts';
import { type HeldLock, type Outcome, withFence } from './fenced.ts';
import { nameSuffix, tableIdentifier } from './names.ts';
import type { Session } from './session.ts';
import type { Snowflake } from './snowflake.ts';

/** The publish lock of a job: a one-row table next to the ledger. */
export function lockTable({ job }: Snowflake, ledger: TableLayout): TableName {
  return sibling(ledger.name, `score_batch_lock_${nameSuffix(job)}`);
}

/**
 * Runs `work` in a transaction that holds the publish lock; see `withFence`.
 *
 * @param work must be safe to restart
 * @throws ScoreBatchError `conflict` if other processes hold the publish lock during all attempts
 */
export async function withPublishLock<T>(
  snowflake: Snowflake,
  lock: TableName,
  runId: string | undefined,
  work: (session: Session, held: HeldLock) => Promise<Outcome<T>>,
): Promise<T> {
  const table = tableIdentifier(lock);
  const take = () => {
    const token = randomBytes(6).readUIntBE(0, 6);
    return { sql: `UPDATE ${table} SET taken = ${token}`, fence: `(SELECT taken FROM ${table}) = ${token}` };
  };
  return await withFence(snowflake, { runId, take, lock: `the publish lock of ${snowflake.job}` }, work);
}

import { sibling } from '../../domain/table-name.ts';
import type { TableLayout } from '../../domain/tables.ts';
import type { Connection } from './connection.ts';
import { BIGQUERY } from './dialect.ts';
import { suffixOf } from './names.ts';
import { runUnlessThere } from './query.ts';

// The publish lock is a one-row table next to the ledger. Every writer of the ledger updates it first, in the same
// transaction. BigQuery's transactions see a snapshot, and the second of two that update a table is aborted. Inserts alone
// would both succeed.

/** @param ledger with its full name @returns the lock's table name, quoted */
export function lockTable({ job }: Connection, ledger: TableLayout): string {
  return BIGQUERY.table(sibling(ledger.name, `score_batch_lock_${suffixOf(job)}`));
}

export async function createLock(connection: Connection, ledger: TableLayout): Promise<void> {
  await runUnlessThere(connection, `CREATE TABLE IF NOT EXISTS ${lockTable(connection, ledger)} AS SELECT 0 AS taken`);
}

export function takeLock(lock: string): string {
  return `UPDATE ${lock} SET taken = taken + 1 WHERE TRUE`;
}

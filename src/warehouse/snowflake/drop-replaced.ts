import type { TableName } from '../../domain/table-name.ts';
import type { AgedRows } from '../publication-spec.ts';
import { deleteBoundaries } from '../sql/boundary.ts';
import { dropAged } from '../sql/replaced.ts';
import type { BoundaryRows } from '../view-spec.ts';
import { SNOWFLAKE } from './dialect.ts';
import { lockTable, withPublishLock } from './publish-lock.ts';
import { inAccount, type Snowflake } from './snowflake.ts';
import { ensureLock } from './tables.ts';

/** Deletes in one transaction that holds the publish lock. */
export async function dropReplaced(snowflake: Snowflake, { tables, job, before, ledger }: AgedRows): Promise<void> {
  const deletes = tables.map((table) => dropAged(SNOWFLAKE, inAccount(snowflake, table), job, before));
  await underLock(snowflake, ledger.name, deletes);
}

/** See `dropReplaced`. */
export async function dropBoundaries(snowflake: Snowflake, rows: BoundaryRows): Promise<void> {
  const { name } = inAccount(snowflake, { name: rows.table });
  await underLock(snowflake, rows.ledger, [deleteBoundaries(SNOWFLAKE, name, rows)]);
}

/** @param statements DELETEs with a WHERE, to which the fence of the lock is added */
async function underLock(snowflake: Snowflake, ledger: TableName, statements: readonly string[]): Promise<void> {
  const lock = lockTable(snowflake, inAccount(snowflake, { name: ledger, columns: [] }));
  await ensureLock(snowflake, lock);
  await withPublishLock(snowflake, lock, undefined, async (session, { fence }) => {
    for (const statement of statements) await session.rows(`${statement} AND ${fence}`);
    return { commit: true, result: undefined };
  });
}

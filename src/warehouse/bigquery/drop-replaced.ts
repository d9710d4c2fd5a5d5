import type { TableName } from '../../domain/table-name.ts';
import type { AgedRows } from '../publication-spec.ts';
import { deleteBoundaries } from '../sql/boundary.ts';
import { dropAged } from '../sql/replaced.ts';
import type { BoundaryRows } from '../view-spec.ts';
import type { Connection } from './connection.ts';
import { BIGQUERY } from './dialect.ts';
import { createLock, lockTable, takeLock } from './publish-lock.ts';
import { run } from './query.ts';
import { transaction } from './script.ts';
import { inProject } from './tables.ts';

/** Deletes with one script job, which is one transaction. If its answer is lost, it runs again with the same result. */
export async function dropReplaced(connection: Connection, { tables, ledger, job, before }: AgedRows): Promise<void> {
  const deletes = tables.map((table) => dropAged(BIGQUERY, inProject(connection, table), job, before));
  await underLock(connection, ledger.name, deletes);
}

/** See `dropReplaced`. */
export async function dropBoundaries(connection: Connection, rows: BoundaryRows): Promise<void> {
  const { name } = inProject(connection, { name: rows.table, columns: [] });
  await underLock(connection, rows.ledger, [deleteBoundaries(BIGQUERY, name, rows)]);
}

async function underLock(connection: Connection, ledger: TableName, statements: readonly string[]): Promise<void> {
  const lock = inProject(connection, { name: ledger, columns: [] });
  await createLock(connection, lock);
  await run(connection, transaction([takeLock(lockTable(connection, lock)), ...statements]), {});
}

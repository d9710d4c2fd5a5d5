import type { AgedRows } from '../publication-spec.ts';
import { dropAged } from '../sql/replaced.ts';
import type { Connection } from './connection.ts';
import { BIGQUERY } from './dialect.ts';
import { createLock, lockTable, takeLock } from './publish-lock.ts';
import { run } from './query.ts';
import { transaction } from './script.ts';
import { inProject } from './tables.ts';

/** Deletes with one script job, which is one transaction. If its answer is lost, it runs again with the same result. */
export async function dropReplaced(connection: Connection, { tables, ledger, job, before }: AgedRows): Promise<void> {
  const lock = inProject(connection, ledger);
  await createLock(connection, lock);
  const deletes = tables.map((table) => dropAged(BIGQUERY, inProject(connection, table), job, before));
  await run(connection, transaction([takeLock(lockTable(connection, lock)), ...deletes]), {});
}

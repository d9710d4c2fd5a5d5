import type { Amendment } from '../publication-spec.ts';
import { replaceAmended } from '../sql/amendment.ts';
import { insertEntry, publishedRun } from '../sql/ledger.ts';
import type { Connection } from './connection.ts';
import { BIGQUERY } from './dialect.ts';
import { createLock, lockTable, takeLock } from './publish-lock.ts';
import { run } from './query.ts';
import { refusalOf, refuseUnless, transaction } from './script.ts';
import { createLayout, inProject, layoutExists } from './tables.ts';

/** Amends with one script job, which is one transaction. If its answer is lost, it runs again with the same result. */
export async function amend(connection: Connection, { entry, rows, ...tables }: Amendment): Promise<boolean> {
  const [ledger, table] = [inProject(connection, tables.ledger), inProject(connection, tables.table)];
  if (!(await layoutExists(connection, ledger))) return false;
  await createLock(connection, ledger);
  await createLayout(connection, table, ['segment', 'segment_value']);
  const published = `COALESCE(${publishedRun(BIGQUERY, ledger, entry)}, '')`;
  const statements = [
    takeLock(lockTable(connection, ledger)),
    refuseUnless(`${published} = ${BIGQUERY.literal(entry.runId)}`, published),
    ...replaceAmended(BIGQUERY, { table, rows, entry }),
    insertEntry(BIGQUERY, ledger, entry),
  ];
  try {
    await run(connection, transaction(statements), { runId: entry.runId });
    return true;
  } catch (error) {
    if (refusalOf(error) === undefined) throw error;
    return false;
  }
}

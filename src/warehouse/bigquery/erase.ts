import type { ErasureSpec } from '../erasure.ts';
import { countEntries, eraseRows } from '../sql/erase.ts';
import type { Connection } from './connection.ts';
import { BIGQUERY } from './dialect.ts';
import { createLock, lockTable, takeLock } from './publish-lock.ts';
import { run } from './query.ts';
import { refusalOf, refuseUnless, transaction } from './script.ts';
import { inProject } from './tables.ts';

/**
 * Erases with one script job, which is one transaction. If its answer is lost and it runs again, it finds another ledger and
 * does nothing.
 */
export async function erase(connection: Connection, erasure: ErasureSpec): Promise<boolean> {
  const spec = { ...erasure, ledger: inProject(connection, erasure.ledger) };
  await createLock(connection, spec.ledger);
  const statements = [
    takeLock(lockTable(connection, spec.ledger)),
    refuseUnless(`${countEntries(BIGQUERY, spec)} = ${spec.seen}`, BIGQUERY.literal('the ledger has moved on')),
    ...eraseRows(BIGQUERY, spec),
  ];
  try {
    await run(connection, transaction(statements), { runId: spec.entry.runId });
    return true;
  } catch (error) {
    if (refusalOf(error) === undefined) throw error;
    return false;
  }
}

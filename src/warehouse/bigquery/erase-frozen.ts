import type { Person } from '../../domain/erasure.ts';
import type { FrozenTable } from '../../domain/frozen-table.ts';
import { countFrozenLeft, eraseFrozenRows } from '../sql/erase-frozen.ts';
import { recounted } from '../sql/frozen.ts';
import { countPerson } from '../sql/person.ts';
import type { Connection } from './connection.ts';
import { BIGQUERY } from './dialect.ts';
import { verifyFrozen } from './freeze.ts';
import { rows, run } from './query.ts';
import { scratchName } from './scratch.ts';
import { transaction } from './script.ts';

/** Rows and manifest change in one transaction. */
export async function eraseFrozen(connection: Connection, frozen: FrozenTable, who: Pick<Person, 'values'>): Promise<number> {
  const { runId } = frozen;
  const [table, manifest] = [scratchName(connection, 'frozen', runId), scratchName(connection, 'manifest', runId)];
  const { key, person, sql } = countFrozenLeft(BIGQUERY, table, frozen, who);
  const [[found] = []] = await rows(connection, countPerson(BIGQUERY, table, person), { runId });
  if (Number(found) === 0) return 0;
  await verifyFrozen(connection, frozen, key);
  const left = recounted(frozen, await rows(connection, sql, { runId }));
  const statements = eraseFrozenRows(BIGQUERY, { table, manifest, left, person });
  await run(connection, transaction(statements), { runId });
  return Number(found);
}

import type { Person } from '../../domain/erasure.ts';
import type { FrozenTable } from '../../domain/frozen-table.ts';
import { erasedTwice, verifyBefore } from '../erased-twice.ts';
import { countFrozenLeft, deletePerson } from '../sql/erase-frozen.ts';
import { recounted } from '../sql/frozen.ts';
import { countPerson } from '../sql/person.ts';
import type { Connection } from './connection.ts';
import { BIGQUERY } from './dialect.ts';
import { readFrozen, verifyFrozen } from './freeze.ts';
import { rows, run } from './query.ts';
import { scratchName } from './scratch.ts';
import { refusalOf, refuseUnless, transaction } from './script.ts';

/**
 * Changes rows and manifest in one transaction, which may run twice.
 *
 * @throws ScoreBatchError `conflict` if another process has erased somebody meanwhile, so that the manifest counts rows of both
 */
export async function eraseFrozen(connection: Connection, frozen: FrozenTable, who: Pick<Person, 'values'>): Promise<number> {
  const { runId } = frozen;
  const [table, manifest] = [scratchName(connection, 'frozen', runId), scratchName(connection, 'manifest', runId)];
  const { key, person, sql } = countFrozenLeft(BIGQUERY, table, frozen, who);
  const [[found] = []] = await rows(connection, countPerson(BIGQUERY, table, person), { runId });
  if (Number(found) === 0) return 0;
  await verifyBefore(
    frozen,
    () => verifyFrozen(connection, frozen, key),
    async () => (await readFrozen(connection, runId))?.id,
  );
  const left = recounted(frozen, await rows(connection, sql, { runId }));
  const [before, after] = [frozen, left].map((one) => BIGQUERY.literal(JSON.stringify(one)));
  const statements = [
    refuseUnless(
      `(SELECT COUNT(*) FROM ${manifest} WHERE manifest IN (${before}, ${after})) = 1`,
      BIGQUERY.literal('the kept rows have changed'),
    ),
    deletePerson(BIGQUERY, table, person),
    `UPDATE ${manifest} SET manifest = ${after} WHERE 1 = 1`,
  ];
  try {
    await run(connection, transaction(statements), { runId });
  } catch (error) {
    throw refusalOf(error) === undefined ? error : erasedTwice(runId, error);
  }
  return Number(found);
}

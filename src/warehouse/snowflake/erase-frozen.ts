import type { Person } from '../../domain/erasure.ts';
import type { FrozenTable } from '../../domain/frozen-table.ts';
import { countFrozenLeft, eraseFrozenRows } from '../sql/erase-frozen.ts';
import { recounted } from '../sql/frozen.ts';
import { countPerson } from '../sql/person.ts';
import { SNOWFLAKE } from './dialect.ts';
import { frozenTableName, verifyFrozen } from './freeze.ts';
import { tableIdentifier } from './names.ts';
import { dropRun } from './scratch.ts';
import { queryTag } from './session.ts';
import { run, type Snowflake, scratchName } from './snowflake.ts';

/** Rows and manifest change in one transaction. Unloaded files go first: they are copies, and can be made again. */
export async function eraseFrozen(snowflake: Snowflake, frozen: FrozenTable, who: Pick<Person, 'values'>): Promise<number> {
  const { runId } = frozen;
  const table = frozenTableName(snowflake, runId);
  const manifest = tableIdentifier(scratchName(snowflake, 'manifest', runId));
  const { key, person, sql } = countFrozenLeft(SNOWFLAKE, table, frozen, who);
  await dropRun(snowflake, runId, ['unloaded']);
  const [[found] = []] = await run(snowflake, countPerson(SNOWFLAKE, table, person), runId);
  if (Number(found) === 0) return 0;
  await verifyFrozen(snowflake, frozen, key);
  const left = recounted(frozen, await run(snowflake, sql, runId));
  const statements = eraseFrozenRows(SNOWFLAKE, { table, manifest, left, person });
  const tag = queryTag(snowflake.job, runId);
  await snowflake.client.once(async (session) => {
    await session.rows('BEGIN TRANSACTION', { tag });
    for (const statement of statements) await session.rows(statement, { tag });
    await session.rows('COMMIT', { tag });
  });
  return Number(found);
}

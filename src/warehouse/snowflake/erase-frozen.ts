import type { Person } from '../../domain/erasure.ts';
import type { FrozenTable } from '../../domain/frozen-table.ts';
import { erasedTwice, verifyBefore } from '../erased-twice.ts';
import { countFrozenLeft, deletePerson } from '../sql/erase-frozen.ts';
import { recounted } from '../sql/frozen.ts';
import { countPerson } from '../sql/person.ts';
import { literal, SNOWFLAKE } from './dialect.ts';
import { silence } from './failure.ts';
import { withFence } from './fenced.ts';
import { frozenTableName, readFrozen, verifyFrozen } from './freeze.ts';
import { tableIdentifier } from './names.ts';
import { dropRun } from './scratch.ts';
import { run, type Snowflake, scratchName } from './snowflake.ts';

/**
 * Changes rows and manifest in one transaction, the manifest first, because it is the lock and the fence. Unloaded files are
 * removed beforehand: they are copies that can be made again.
 *
 * @throws ScoreBatchError `conflict` if another process has erased somebody meanwhile, so that the manifest counts rows of both
 */
export async function eraseFrozen(snowflake: Snowflake, frozen: FrozenTable, who: Pick<Person, 'values'>): Promise<number> {
  const { runId } = frozen;
  const table = frozenTableName(snowflake, runId);
  const manifest = tableIdentifier(scratchName(snowflake, 'manifest', runId));
  const { key, person, sql } = countFrozenLeft(SNOWFLAKE, table, frozen, who);
  const count = countPerson(SNOWFLAKE, table, person);
  await dropRun(snowflake, runId, ['unloaded']);
  const [[found] = []] = await run(snowflake, count, runId);
  if (Number(found) === 0) return 0;
  await verifyBefore(
    frozen,
    () => verifyFrozen(snowflake, frozen, key),
    async () => (await readFrozen(snowflake, runId))?.id,
  );
  const left = recounted(frozen, await run(snowflake, sql, runId));
  // A second attempt finds its own manifest if the first one's COMMIT had no answer but succeeded.
  const before = [frozen, left].map((one) => literal(JSON.stringify(one)));
  const take = () => ({
    sql: `UPDATE ${manifest} SET manifest = ${before[1]} WHERE manifest IN (${before.join(', ')})`,
    fence: `(SELECT manifest FROM ${manifest}) = ${before[1]}`,
  });
  return await withFence(snowflake, { runId, take, lock: `the kept rows of run ${runId}` }, async (session, { fence }) => {
    const [[fits] = []] = await session.rows(
      `SELECT IFF((SELECT manifest FROM ${manifest}) IN (${before.join(', ')}), 'yes', 'no') AS fits`,
    );
    if (fits !== 'yes') throw erasedTwice(runId);
    await session.rows(`${deletePerson(SNOWFLAKE, table, person)} AND ${fence}`);
    const [[still] = []] = await session.rows(count);
    const [[mine] = []] = await session.rows(`SELECT IFF(${fence}, 'yes', 'no') AS mine`);
    if (Number(still) > 0 || mine !== 'yes') throw silence('Snowflake ended the transaction while this process was suspended');
    return { commit: true, result: Number(found) };
  });
}

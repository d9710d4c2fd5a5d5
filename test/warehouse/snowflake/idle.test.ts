import { expect, it } from 'vitest';
import { withPublishLock } from '../../../src/warehouse/snowflake/publish-lock.ts';
import { ensureLock } from '../../../src/warehouse/snowflake/tables.ts';
import { parseTarget } from '../../../src/warehouse/snowflake/target.ts';
import { makeDatabase, mayMake } from './subject.ts';

// Without an emulator or an account; the last line of the output says why there is none.
it.skipIf(!mayMake())('writes nothing in a transaction that was ended meanwhile', async () => {
  const { url, client } = await makeDatabase();
  const target = parseTarget(url);
  const gate = [target.database, 'PUBLIC', 'gate'];
  const signal = new AbortController().signal;
  const snowflake = { target, scratch: [target.database, 'scratch'] as const, job: 'job', client, memory: 1e9, signal };
  await ensureLock(snowflake, gate);
  await client.use((session) => session.rows('CREATE TABLE marks AS SELECT CAST(0 AS NUMBER(38,0)) AS mark'));
  const write = (held: string, mark: number) => `INSERT INTO marks SELECT ${mark} FROM marks WHERE ${held} LIMIT 1`;
  const pass = (mark: number, meanwhile: () => Promise<unknown> = async () => undefined) =>
    withPublishLock(snowflake, gate, undefined, async (session, { fence: held }) => {
      if (mark === 1) {
        // What Snowflake does to one that is idle in the way of another; no more is known of it than its documentation says.
        await session.rows('ROLLBACK');
        await meanwhile();
      }
      await session.rows(write(held, mark));
      return { commit: true, result: undefined };
    });
  await pass(1, () => pass(2));
  const marks = await client.use((session) => session.rows('SELECT CAST(mark AS VARCHAR) FROM marks ORDER BY mark'));
  expect(marks).toEqual([['0'], ['2']]);
});

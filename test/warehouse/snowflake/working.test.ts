import { expect, it } from 'vitest';
import { openClient } from '../../../src/warehouse/snowflake/client.ts';
import { parseTarget } from '../../../src/warehouse/snowflake/target.ts';
import { fakeSnowflake } from './fake-snowflake.ts';

it('tells the id of a query as soon as Snowflake has told it, and when the query has ended', async () => {
  const server = await fakeSnowflake({ statement: (sql) => (sql.includes('slow') ? { running: 300, times: 2 } : undefined) });
  const running = new Set<() => string | undefined>();
  const login = {
    target: parseTarget('snowflake://acct/db/public'),
    environment: { SNOWFLAKE_ACCESS_URL: server.url, SNOWFLAKE_TOKEN: 'an oauth token' },
    warn: () => undefined,
    working: (kind: string, id: () => string | undefined) => {
      expect(kind).toBe('query');
      running.add(id);
      return () => void running.delete(id);
    },
  };
  const client = openClient(login, 'tag', new AbortController().signal);
  const seen: (string | undefined)[] = [];
  const watch = setInterval(() => {
    for (const id of running) if (seen.at(-1) !== id() || seen.length === 0) seen.push(id());
  }, 20);
  await client.use((session) => session.rows('select slow'));
  clearInterval(watch);
  await client.close();
  // Unknown until the first answer, which says only that the query runs.
  expect(seen.slice(-2)).toEqual([undefined, '1']);
  expect(running.size).toBe(0);
});

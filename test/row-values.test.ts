import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it, vi } from 'vitest';
import { type LinearOptions, linearProject } from './support/linear-project.ts';
import { query, statements } from './support/project.ts';
import { scoreBatch } from './support/score-batch.ts';
import { WAREHOUSE } from './support/steer.ts';

// What stands in a row must not reach logs or the ledger, however a run fails. The values below stand in rows only: no statement
// holds them.

// Each is several processes, and more than one of them may have to wait for a core.
vi.setConfig({ testTimeout: 180_000 });

const VALUES = /jo\d+@example\.com|4815162\d{3}/;
const PEOPLE = `
  select i as user_id, date '1997-03-10' as signup, concat('jo', i, '@example.com') as email, 4815162000 + i as number,
    i / 100.0 as a, 0.0 as b, 'US' as country
  from range(100) as users(i)`;
const WHERE = 'from users where signup >= :window_start_date and signup < :window_end_date';

async function run(options: LinearOptions, between: readonly string[] = []): Promise<{ code: number | null; stderr: string }> {
  const folder = await linearProject({ users: PEOPLE, ...options });
  const file = path.join(folder, WAREHOUSE);
  if (between.length > 0) {
    expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
    await statements(file, between);
  }
  const told = await scoreBatch(folder, ['--week', '-v', '--json']);
  const logged = await scoreBatch(folder, ['--week', '-v'], { SCORE_BATCH_LOG: 'json' });
  const status = await scoreBatch(folder, ['status', '--json']);
  // Where the source is not ready nothing has begun, and there is no ledger yet.
  const ledgers = await query(file, `select 1 from duckdb_tables() where table_name = 'score_batch_ledger'`);
  const ledger = ledgers.length === 0 ? [] : await query(file, 'select details from marketing.score_batch_ledger');
  for (const text of [told.stdout, told.stderr, logged.stdout, logged.stderr, status.stdout, JSON.stringify(ledger)]) {
    expect(text).not.toMatch(VALUES);
  }
  return { code: told.code, stderr: told.stderr };
}

it.each<[string, string, RegExp]>([
  ['a cast of text', `select user_id, cast(email as integer) as a, b, country ${WHERE}`, /string '…' to INT32.*column email/],
  [
    'a cast of a number',
    `select user_id, cast(number as integer) as a, b, country ${WHERE}`,
    /INT64 with value … cannot be cast/,
  ],
  ['a date', `select user_id, epoch(strptime(email, '%Y')) as a, b, country ${WHERE}`, /Could not parse string "…"/],
  ['an overflow', `select user_id, number * number * number as a, b, country ${WHERE}`, /Overflow in multiplication/],
])('%s that fails in the query', async (_, sql, says) => {
  const { code, stderr } = await run({ query: sql });
  expect(stderr).toMatch(says);
  expect(stderr).toContain('jobs/query.sql');
  expect(code).toBe(78);
});

it('a readiness that fails', async () => {
  const ready = `  ready: select max(cast(email as integer)) > 0 from users where signup < :window_end_date`;
  const { code, stderr } = await run({ edit: (job) => job.replace('  key: [user_id]', `${ready}\n  key: [user_id]`) });
  expect(stderr).toContain("Could not convert string '…' to INT32");
  expect(code).toBe(78);
});

const TWICE = `select number // 2 as user_id, a, b, country ${WHERE}`;

it.each<[string, LinearOptions]>([
  ['numbers out of range', { query: `select user_id, number as a, b, country ${WHERE}` }],
  ['keys that occur twice', { query: TWICE }],
  [
    'keys that may not occur twice',
    { query: TWICE, edit: (job) => job.replace('[user_id]', '[user_id]\n  duplicates: refuse') },
  ],
])('%s', async (_, options) => {
  expect((await run(options)).code).toBe(65);
});

it('a constraint that somebody put on a published table', async () => {
  const { code, stderr } = await run({ query: `select number as user_id, a, b, country ${WHERE}` }, [
    'update marketing.scores set window_start = window_start - interval 7 days, window_end = window_end - interval 7 days',
    'create unique index once on marketing.scores (user_id)',
  ]);
  expect(stderr).toMatch(
    /a published table with a constraint that the new rows violate\n {2}Constraint Error: Duplicate key "…" violates/,
  );
  expect(code).toBe(78);
});

it('the quarantine says what was wrong and not what it was, unless it is told to', async () => {
  const edit = (job: string) => job.replace('max_quarantine_rate: 1%', 'max_quarantine_rate: 50%');
  const options = { query: `select user_id, if(user_id % 4 = 0, number, a) as a, b, country ${WHERE}`, users: PEOPLE, edit };
  const folder = await linearProject(options);
  const { code, stderr } = await scoreBatch(folder, ['--week', '-v'], { SCORE_BATCH_HASH_KEY: 'a key' });
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringMatching(VALUES) });
  const values = await query(
    path.join(folder, WAREHOUSE),
    'select distinct left(value, 5) as value from marketing.scores_quarantine',
  );
  expect(values).toEqual([{ value: 'hmac:' }]);
  expect(await readFile(path.join(folder, WAREHOUSE), 'latin1')).not.toContain('a key');
});

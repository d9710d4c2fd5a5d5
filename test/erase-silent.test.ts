import path from 'node:path';
import { expect, it } from 'vitest';
import { linearProject } from './support/linear-project.ts';
import { query } from './support/project.ts';
import { startScoreBatch } from './support/score-batch.ts';
import { WAREHOUSE } from './support/steer.ts';

// A key of two columns, whose values no other text contains.
const PERSON = ['quagga-37', 'okapi-7'];
const USERS = `select 'quagga-' || i as user_id, region, date '1997-03-11' as signup, (i % 20) / 10.0 as a, 0.5 as b, 'US' as country
  from range(40) as users(i), (values ('okapi-7'), ('tapir-8')) as regions(region)`;

it('erases by a key of two columns, and names it neither in the output of --verbose, nor in JSON, nor in the ledger', async () => {
  const folder = await linearProject({
    users: USERS,
    query: 'select user_id, region, a, b, country from users where signup >= :window_start_date and signup < :window_end_date',
    edit: (job) =>
      job.replace('key: [user_id]', 'key: [user_id, region]').replace('source:\n', 'source:\n  keep_rows: 35 days\n'),
  });
  const rows = (sql: string) => query(path.join(folder, WAREHOUSE), sql);
  const run = (...args: string[]) => startScoreBatch(folder, args).ended;
  expect((await run('run', '--week', '--quiet')).code).toBe(0);
  const missing = await run('erase', '--key', ...PERSON.toReversed(), '--reason', 'request 1', '--verbose');
  expect([missing.code, missing.stderr]).toEqual([0, expect.stringContaining('nothing found')]);
  const dry = await run('erase', '--key', ...PERSON, '--dry-run', '--verbose');
  const json = await run('erase', '--key', ...PERSON, '--reason', 'request 1', '--verbose', '--json');
  expect(json.code, json.stderr).toBe(0);
  expect(JSON.parse(json.stdout).rows).toEqual({ 'marketing.scores': 1, 'marketing.report': 1 });
  for (const { stdout, stderr } of [missing, dry, json]) expect(stdout + stderr).not.toMatch(/quagga-37|okapi-7/);
  expect(
    await rows(`select count(*) as n, count(*) filter (user_id = '${PERSON[0]}' and region = '${PERSON[1]}') as person,
      count(*) filter (user_id = '${PERSON[0]}' or region = '${PERSON[1]}') as others from marketing.scores`),
  ).toEqual([{ n: '79', person: '0', others: '40' }]);
  expect(
    await rows(
      "select count(*) as n from marketing.score_batch_ledger l where cast(l as varchar) similar to '.*(quagga|okapi).*'",
    ),
  ).toEqual([{ n: '0' }]);
});

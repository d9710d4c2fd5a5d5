import { createHash } from 'node:crypto';
import { appendFile, cp, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { CHALLENGER_EFFECTS } from './crash/challenger-effects.ts';
import { start } from './crash/kill.ts';
import { challengerProject } from './support/challenger-project.ts';
import { query, statements, temporaryFolder } from './support/project.ts';
import { scoreBatch } from './support/score-batch.ts';
import { SCRATCH, WAREHOUSE } from './support/steer.ts';

const REASON = ['--reason', 'request 4711'];
const USERS = `select 'person-' || i as user_id, date '1997-03-11' as signup, case when i = 50 then 1000.0 else (i % 20) / 10.0 end as a,
  0.5 as b, 'US' as country from range(100) as users(i)`;

async function project(): Promise<string> {
  const folder = await challengerProject({
    users: USERS,
    edit: (job) =>
      job
        .replace('score:\n', 'score:\n  reasons: { top: 15, features: 1 }\n')
        .replace('max_quarantine_rate: 1%', 'max_quarantine_rate: 5%'),
  });
  const baseline = 'a,b\n0.5,0.2\n1.5,1.1\n';
  const sha256 = createHash('sha256').update(baseline).digest('hex');
  for (const model of ['model', 'models/linear-2']) {
    await writeFile(path.join(folder, model, 'baseline.csv'), baseline);
    await appendFile(path.join(folder, model, 'model.yaml'), `baseline_rows: { file: baseline.csv, sha256: ${sha256} }\n`);
  }
  return folder;
}

const rows = (folder: string, sql: string) => query(path.join(folder, WAREHOUSE), sql);

async function erase(folder: string, key: string) {
  const { code, stdout, stderr } = await scoreBatch(folder, ['erase', '--key', key, ...REASON, '--json']);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

/** Tables of the schema, and files in scratch, that hold the person. */
async function holding(folder: string, key: string): Promise<string[]> {
  const tables = await rows(
    folder,
    "select table_name as name from duckdb_columns() where schema_name = 'marketing' and column_name = 'user_id' order by all",
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const [counted] = await rows(folder, `select count(*) as n from marketing.${name} where user_id = '${key}'`);
    if (counted?.n !== '0') found.push(String(name));
  }
  const staged = (await readdir(path.join(folder, SCRATCH), { recursive: true })).filter((name) =>
    /chunk-.*\.parquet$/.test(name),
  );
  return staged.length > 0 ? [...found, 'staging'] : found;
}

it('erases a person from the scores, quarantine and replaced publications of the challenger, and from what it has staged', async () => {
  const folder = await project();
  expect((await scoreBatch(folder, ['run', '--week'])).code).toBe(0);
  // The same scores again would keep nothing.
  await statements(path.join(folder, 'data/warehouse.duckdb'), ['update users set a = a / 2']);
  expect((await scoreBatch(folder, ['run', '--week', '--fresh'])).code).toBe(0);
  expect(await holding(folder, 'person-37')).toEqual([
    'report',
    'report_replaced',
    'scores',
    'scores_challenger',
    'scores_challenger_replaced',
    'scores_replaced',
  ]);
  const erased = await erase(folder, 'person-37');
  expect(erased.rows).toEqual({
    'marketing.scores': 1,
    'marketing.scores_replaced': 1,
    'marketing.report': 1,
    'marketing.report_replaced': 1,
    'marketing.scores_challenger': 1,
    'marketing.scores_challenger_replaced': 1,
  });
  const quarantined = await erase(folder, 'person-50');
  expect(quarantined.rows).toEqual({
    'marketing.scores_quarantine': 1,
    'marketing.scores_quarantine_replaced': 1,
    'marketing.scores_challenger_quarantine': 1,
    'marketing.scores_challenger_quarantine_replaced': 1,
  });
  for (const key of ['person-37', 'person-50']) expect(await holding(folder, key)).toEqual([]);
  for (const table of ['scores', 'scores_replaced', 'scores_challenger', 'scores_challenger_replaced']) {
    expect(
      await rows(folder, `select count(*) as n, max(rank) as high, count(distinct rank) as ranks from marketing.${table}`),
    ).toEqual([{ n: '98', high: '98', ranks: '98' }]);
  }
  const { runs } = JSON.parse((await scoreBatch(folder, ['status', '--json'])).stdout);
  expect(
    runs
      .filter(({ current }: { current: boolean }) => current)
      .map(({ tables_differ }: { tables_differ: string[] }) => tables_differ),
  ).toEqual([[]]);
  const counts = await rows(
    folder,
    `select json_extract_string(details, '$.erased') as by, rows_scored as scored, rows_quarantined as quarantined from marketing.score_batch_ledger where job = 'linear.challenger' and details like '%"erased"%'`,
  );
  expect(counts.filter(({ by }) => by === quarantined.erase_id)).toEqual([
    { by: quarantined.erase_id, scored: '98', quarantined: '0' },
    { by: quarantined.erase_id, scored: '98', quarantined: '0' },
  ]);
});

it('refuses while the challenger of a published run may still publish, and finds it when the job has none any more', async () => {
  const folder = await project();
  const chunk = CHALLENGER_EFFECTS.find(({ name }) => name === 'challenger: ranks');
  if (chunk === undefined) throw new Error('a challenger has no ranks');
  const killed = await start({ folder, environment: {} }, { pattern: chunk.pattern, phase: 'after', occurrence: 1 }).ended;
  expect(killed.signal, killed.stderr).toBe('SIGKILL');
  const refused = await scoreBatch(folder, ['erase', '--key', 'person-37', ...REASON]);
  expect([refused.code, refused.stderr]).toEqual([75, expect.stringContaining('has not finished')]);
  const kept = path.join(await temporaryFolder(), 'scratch');
  await cp(path.join(folder, SCRATCH), kept, { recursive: true });
  expect((await scoreBatch(folder, ['run', '--week'])).code).toBe(0);
  await statements(path.join(folder, WAREHOUSE), ['drop table users']);
  // As if the clean-up of the run had been killed.
  await rename(path.join(folder, SCRATCH), `${kept}-empty`);
  await cp(kept, path.join(folder, SCRATCH), { recursive: true });
  expect(await holding(folder, 'person-37')).toContain('staging');
  const job = path.join(folder, 'jobs', 'job.yaml');
  await writeFile(job, (await readFile(job, 'utf8')).replace(/compare:[\s\S]*/, ''));
  expect((await erase(folder, 'person-37')).rows).toMatchObject({ 'marketing.scores_challenger': 1 });
  expect(await holding(folder, 'person-37')).toEqual([]);
});

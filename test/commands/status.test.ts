import { rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { LINEAR_QUERY, LINEAR_USERS, linearProject } from '../support/linear-project.ts';
import { statements } from '../support/project.ts';
import { publishedTables, warehouseOf } from '../support/published.ts';
import { scoreBatch, startScoreBatch } from '../support/score-batch.ts';
import { STAGED, slowProject, untilFiles } from '../support/steer.ts';
import { withPlaceholders } from '../support/transcript.ts';

/** The text of status with the times of this run replaced. */
async function status(folder: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await scoreBatch(folder, ['status', ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return withPlaceholders(stdout, folder)
    .replaceAll(/\d{4}-\d{2}-\d{2} \d{2}:\d{2} {10}/g, '<started>')
    .replaceAll(/ \d+\.\d {2}(\w+ \S+ +)<id>/g, ' <s>  $1<id>')
    .replaceAll(/ +<s>/g, ' <s>')
    .replace(/bottleneck: .*/, 'bottleneck: <stage>');
}

it('says that a job has not run yet, and makes no ledger', async () => {
  const folder = await linearProject();
  expect(await status(folder)).toBe('linear has not run yet: the ledger in duckdb:data/warehouse.duckdb has no entry for it\n');
  expect(JSON.parse((await scoreBatch(folder, ['status', '--json'])).stdout)).toEqual({
    schema: 'score-batch/status/1',
    job: 'linear',
    runs: [],
    missing: [],
    missing_total: 0,
    backfill: null,
  });
  expect(await publishedTables(folder)).toEqual([]);
});

it('compares a slim table, whose rows do not name their job, with the ledger', async () => {
  const folder = await linearProject({
    edit: (job) =>
      job.replace('keep: [country]', 'keep: [country]\n  layout: slim').replace(/report:\n[\s\S]*gates:/, 'gates:'),
  });
  expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
  expect(await status(folder)).toContain('1997-W11  completed *  ');
  await statements(warehouseOf(folder), ['delete from marketing.scores where user_id < 10']);
  expect(await status(folder)).toContain('marketing.scores holds 90 of its 100 rows');
});

it('lists runs with the one that the tables hold, and names the bottleneck', async () => {
  const folder = await linearProject();
  await scoreBatch(folder, ['--date', '1997-03-12']);
  await scoreBatch(folder, ['--week']);
  await statements(warehouseOf(folder), ["insert into users values (1000, date '1997-03-12', 1, 1, 'US')"]);
  await scoreBatch(folder, ['--week']);
  expect(await status(folder)).toMatchInlineSnapshot(`
    "window      state        started (America/New_York)  rows  quarantined  mean score  PSI  seconds  model     run
    1997-W11    completed    <started>   100            0      0.5829 <s>  linear 1  <id>
    1997-W11    completed *  <started>   101            0      0.5827 <s>  linear 1  <id>
    1997-03-12  completed *  <started>    14            0      0.5959 <s>  linear 1  <id>
    * published: what the tables hold now
    seconds of the last run: <s> = plan <s> + freeze <s> + score <s> + reconcile <s> + publish <s> + report <s> + clean up <s>
    bottleneck: <stage>
    "
  `);
  const { runs } = JSON.parse((await scoreBatch(folder, ['status', '--json'])).stdout) as { runs: Record<string, unknown>[] };
  expect(runs.map(({ window, state, current }) => ({ window, state, current }))).toEqual([
    { window: '1997-W11', state: 'completed', current: false },
    { window: '1997-W11', state: 'completed', current: true },
    { window: '1997-03-12', state: 'completed', current: true },
  ]);
  expect(runs[1]).toMatchObject({
    rows: { frozen: 101, scored: 101, quarantined: 0 },
    providers: { cpu: expect.any(Number) },
    model: 'linear 1',
    error: null,
  });
  expect(Object.keys(runs[1]?.seconds as object)).toEqual([
    'plan',
    'freeze',
    'score',
    'reconcile',
    'explain',
    'publish',
    'challenge',
    'report',
    'clean_up',
  ]);
  expect(runs[1]?.workers).toMatchObject({ rows: 101, seconds: { model: expect.any(Number), wait: expect.any(Number) } });
  expect((await status(folder, '--limit', '1')).split('\n')[1]).toContain('1997-W11  completed *');
});

it('says why a run was refused', async () => {
  const folder = await linearProject({
    users: `select * replace (case when user_id < 2 then null else a end as a) from (${LINEAR_USERS})`,
  });
  expect((await scoreBatch(folder, ['--week'])).code).toBe(65);
  const text = await status(folder);
  expect(text).toContain('1997-W11  refused  <started>   100            2      0.5846 <s>  linear 1  <id>\n');
  expect(text).toContain(
    '<id>: 1997-W11 was not published: 2 % of the rows were quarantined, gates.max_quarantine_rate is 1 %',
  );
  expect(text).toContain('2 × null in a required feature (a)');
});

it('keeps what DuckDB said of a query that failed', async () => {
  const folder = await linearProject({
    query:
      'select user_id, cast(country as integer) as a, b, country from users where signup >= :window_start_date and signup < :window_end_date',
  });
  expect((await scoreBatch(folder, ['--week'])).code).toBe(78);
  const text = await status(folder);
  expect(text).toContain('1997-W11  failed');
  expect(text).toContain('<id>: DuckDB rejects jobs/query.sql');
  expect(text).toContain("Could not convert string '…' to INT32");
});

it('still shows a run as published whose report could not be written', async () => {
  const folder = await linearProject({ files: { reports: 'a file where the folder should be' } });
  expect((await scoreBatch(folder, ['--week'])).code).toBe(74);
  expect(await status(folder)).toContain('1997-W11  published *');
  await rm(path.join(folder, 'reports'));
  expect((await scoreBatch(folder, ['report', '--week'])).code).toBe(0);
  expect(await status(folder)).toContain('1997-W11  completed *');
});

it('shows what can be resumed, where it ran, and what has changed since; and what is lost', async () => {
  const folder = await slowProject();
  const running = startScoreBatch(folder, ['--week']);
  await untilFiles(running, folder, STAGED, 1);
  running.process.kill('SIGKILL');
  await running.ended;
  const runs = async () =>
    (JSON.parse((await scoreBatch(folder, ['status', '--json'])).stdout) as { runs: Record<string, unknown>[] }).runs;
  expect(await status(folder)).toMatch(
    /<id>: began \d minutes? ago on \S+ and is still running, or its process is gone; the same command resumes it, unless the job file has changed\n$/,
  );
  expect(await runs()).toMatchObject([
    { state: 'started', unfinished: true, lost: false, changed: [], host: hostname(), current: false },
  ]);
  await writeFile(path.join(folder, 'jobs', 'query.sql'), LINEAR_QUERY.replace('a, b', 'a / 2 as a, b'));
  expect(await status(folder)).toContain('the same command starts over: the query has changed\n');
  expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
  const text = await status(folder);
  expect(text).toContain('1997-W11  started, lost  ');
  expect(text).toContain('<id>: another run has published this window since; this one cannot be resumed\n');
  expect(await runs()).toMatchObject([
    { state: 'started', unfinished: false, lost: true, changed: null },
    { state: 'completed', unfinished: false, lost: false, changed: null, current: true },
  ]);
});

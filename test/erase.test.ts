import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { LINEAR_QUERY, linearProject } from './support/linear-project.ts';
import { query, repository, statements } from './support/project.ts';
import { scoreBatch, startScoreBatch } from './support/score-batch.ts';
import { STAGED, slowProject, untilFiles, untilStopped } from './support/steer.ts';

const WAREHOUSE = 'data/warehouse.duckdb';
const CSV = 'reports/linear-1997-W11.csv';
const REASON = ['--reason', 'request 4711 of 1997-03-20'];

const STOPS = `--import ${pathToFileURL(repository('test', 'faults', 'stop.mjs')).href}`;

const keeping = (job: string): string =>
  job
    .replace('source:\n', 'source:\n  keep_rows: 35 days\n')
    .replace('  csv: ', '  page: reports/linear-{window}.html\n  parquet: reports/linear-{window}.parquet\n  csv: ');

const rows = (folder: string, sql: string) => query(path.join(folder, WAREHOUSE), sql);

async function done(folder: string, ...args: string[]) {
  const outcome = await scoreBatch(folder, [...args, '--json']);
  expect([outcome.code, outcome.stderr]).toEqual([0, expect.not.stringContaining('error:')]);
  return JSON.parse(outcome.stdout);
}

it('removes a person from every table, the kept rows and the files, and keeps counts, ranks and audits right', async () => {
  const folder = await linearProject({ edit: keeping });
  const { run_id: run } = await done(folder, 'run', '--week');
  const [person] = await rows(folder, 'select rank, band, country, propensity from marketing.scores where user_id = 37');
  const before = await rows(folder, 'select * from marketing.report order by rank');
  const dry = await done(folder, 'erase', '--key', '37', '--dry-run');
  expect(dry).toMatchObject({
    dry_run: true,
    erase_id: null,
    rows: { 'marketing.scores': 1, 'marketing.report': 1 },
    kept_rows: { [run]: 1 },
  });
  expect(await rows(folder, 'select * from marketing.report order by rank')).toEqual(before);

  const erased = await done(folder, 'erase', '--key', '37', ...REASON);
  expect(erased).toMatchObject({ erase_id: expect.stringMatching(/^erase-[0-9a-f]{12}$/), kept_rows: { [run]: 1 } });
  expect(erased.files.map((file: string) => path.basename(file)).sort()).toEqual([
    'index.html',
    'linear-1997-W11.csv',
    'linear-1997-W11.html',
    'linear-1997-W11.parquet',
  ]);
  // The others are as they were, except ranks.
  const rank = Number(person?.rank);
  const expected = before
    .filter((row) => row.user_id !== '37')
    .map((row) => ({ ...row, rank: Number(row.rank) > rank ? String(Number(row.rank) - 1) : row.rank }));
  expect(await rows(folder, 'select * from marketing.report order by rank')).toEqual(expected);
  expect(await rows(folder, 'select count(*) as n, sum(rank) as ranks from marketing.scores')).toEqual([
    { n: '99', ranks: '4950' },
  ]);
  const summary = `select segment, segment_value, band, users, share, mean_score, expected_churners from marketing.summary order by all`;
  const anew = `with r as (select 'all' as segment, 'all' as segment_value, band, propensity from marketing.report union all select 'country', country, band, propensity from marketing.report)
    select segment, segment_value, band, count(*) as users, cast((2000000 * count(*) + sum(count(*)) over w) // (2 * sum(count(*)) over w) as decimal(24,0)) * cast('0.000001' as decimal(7,6)) as share,
      cast((2 * cast(sum(propensity) * 1000000 as bigint) + count(*)) // (2 * count(*)) as decimal(24, 0)) * cast('0.000001' as decimal(7,6)) as mean_score, sum(propensity) as expected_churners
    from r group by segment, segment_value, band window w as (partition by segment, segment_value) order by all`;
  const numbers = (list: Record<string, unknown>[]) =>
    list.map((row) => Object.values(row).map((value) => (Number.isNaN(Number(value)) ? value : Number(value))));
  expect(numbers(await rows(folder, summary))).toEqual(numbers(await rows(folder, anew)));
  const status = await done(folder, 'status');
  expect(status.runs.find((one: { run_id: string }) => one.run_id === run)).toMatchObject({
    current: true,
    tables_differ: [],
    state: 'completed',
    rows: { frozen: 99, scored: 99, quarantined: 0 },
  });
  expect((await readFile(path.join(folder, CSV), 'utf8')).split('\n').filter((line) => line.startsWith('37,'))).toEqual([]);
  expect(
    await rows(folder, `select count(*) as n from '${path.join(folder, CSV.replace('csv', 'parquet'))}' where user_id = 37`),
  ).toEqual([{ n: '0' }]);
  const again = await scoreBatch(folder, ['erase', '--key', '37', ...REASON]);
  expect([again.code, again.stderr]).toEqual([0, expect.stringContaining('nothing found')]);
  // The rows of then are those without the person.
  await statements(path.join(folder, WAREHOUSE), ['drop table users']);
  expect(await done(folder, 'run', '--week', '--as-of', run)).toMatchObject({ rows: { frozen: 99, scored: 99 } });
  expect(await rows(folder, 'select count(*) as n from marketing.scores where user_id = 37')).toEqual([{ n: '0' }]);
});

it('erases from replaced publications, too, and warns of files and tables that it cannot reach', async () => {
  const folder = await linearProject({ edit: keeping });
  await done(folder, 'run', '--week');
  // The same scores again would keep nothing.
  await statements(path.join(folder, WAREHOUSE), ['update users set a = a / 2']);
  await done(folder, 'run', '--week', '--fresh');
  const file = path.join(folder, 'jobs', 'job.yaml');
  const job = await readFile(file, 'utf8');
  await writeFile(file, job.replace('csv: reports/linear-{window}.csv', 'csv: reports/new-{window}.csv'));
  const erased = await done(folder, 'erase', '--key', '037', ...REASON);
  expect(erased.rows).toMatchObject({ 'marketing.scores': 1, 'marketing.scores_replaced': 1, 'marketing.report': 1 });
  expect(Object.keys(erased.kept_rows)).toHaveLength(2);
  expect(erased.warnings.join('\n')).toContain(`${path.join(folder, CSV)} may hold the person`);
  expect(await rows(folder, 'select count(*) as n, max(rank) as highest from marketing.scores_replaced')).toEqual([
    { n: '99', highest: '99' },
  ]);
  expect(await readFile(path.join(folder, 'reports/new-1997-W11.csv'), 'utf8')).not.toMatch(/^37,/m);
  // Neither the entries nor the files' names tell whom.
  const entries = await rows(
    folder,
    `select details from marketing.score_batch_ledger where state = 'erased' or details like '%"erased"%'`,
  );
  expect(entries).toHaveLength(3);
  expect(JSON.stringify(entries)).not.toMatch(/\b37\b/);
});

it('refuses while a run that has read rows may still publish, and what is not one person and one reason', async () => {
  const folder = await slowProject({ edit: keeping });
  const running = startScoreBatch(folder, ['--week', '--workers', '1']);
  await untilFiles(running, folder, STAGED, 1);
  running.process.kill('SIGKILL');
  await running.ended;
  const refused = async (code: number, text: string, ...args: string[]): Promise<void> => {
    const outcome = await scoreBatch(folder, ['erase', ...args]);
    expect([outcome.code, outcome.stderr]).toEqual([code, expect.stringContaining(text)]);
  };
  await refused(75, 'has not finished and may publish rows that it has already read', '--key', '37', ...REASON);
  await refused(64, 'the key has 1 column, but 2 values were given', '--key', '37', '38', ...REASON);
  await refused(64, 'an erasure needs a --reason', '--key', '37');
  await refused(64, '--reason contains a value of the key', '--key', '37', '--reason', 'asked by user-37.');
  await done(folder, 'run', '--week');
  await done(folder, 'erase', '--key', '37', ...REASON);
}, 600_000);

it('names the run whose kept rows cannot be read, and removes nothing, until they are dropped', async () => {
  const folder = await linearProject({ edit: keeping });
  const { run_id: run } = await done(folder, 'run', '--week');
  await rm(path.join(folder, `${WAREHOUSE}.scratch`, run, 'frozen', 'rows', 'data_0.parquet'));
  for (const args of [REASON, ['--dry-run']]) {
    const { code, stdout } = await scoreBatch(folder, ['erase', '--key', '37', ...args, '--json']);
    expect(code).toBe(65);
    expect(JSON.parse(stdout)).toMatchObject({
      error: {
        message: expect.stringContaining(`the rows that run ${run} kept cannot be read`),
        hint: expect.stringContaining('gc --apply'),
      },
    });
  }
  expect(await rows(folder, 'select count(*) as n from marketing.scores where user_id = 37')).toEqual([{ n: '1' }]);
  const job = path.join(folder, 'jobs', 'job.yaml');
  await writeFile(job, (await readFile(job, 'utf8')).replace('keep_rows: 35 days', 'freeze: always'));
  await done(folder, 'gc', '--apply');
  expect(await done(folder, 'erase', '--key', '37', ...REASON)).toMatchObject({ rows: { 'marketing.scores': 1 } });
});

it('records the erasure of somebody who was in kept rows only', async () => {
  const folder = await linearProject({ edit: (job) => keeping(job).replace('min_rows: 1', 'min_rows: 1000') });
  expect((await scoreBatch(folder, ['run', '--week'])).code).toBe(65);
  const erased = await done(folder, 'erase', '--key', '37', ...REASON);
  expect(erased).toMatchObject({ erase_id: expect.stringMatching(/^erase-/), rows: {} });
  expect(Object.values(erased.kept_rows)).toEqual([1]);
  expect(
    await rows(
      folder,
      "select run_id, details->'erasure'->>'kept_rows' as kept from marketing.score_batch_ledger where state = 'erased'",
    ),
  ).toEqual([{ run_id: erased.erase_id, kept: '1' }]);
});

it('checks all keys before the first kept row goes', async () => {
  const folder = await linearProject({ edit: keeping });
  const file = path.join(folder, 'jobs', 'job.yaml');
  const job = await readFile(file, 'utf8');
  const runs = [await done(folder, 'run', '--week'), await done(folder, 'run', '--week', '--fresh')];
  const other = job.replace('key: [user_id]', 'key: [member_id]').replaceAll(/marketing.(scores|report)/g, 'marketing.$1_new');
  await writeFile(file, other.replace('min_rows: 1', 'min_rows: 1000'));
  await writeFile(path.join(folder, 'jobs', 'query.sql'), LINEAR_QUERY.replace('user_id', 'user_id as member_id'));
  const refused = await scoreBatch(folder, ['run', '--week', '--fresh']);
  expect(refused.code, refused.stderr).toBe(65);
  await writeFile(file, job);
  const erased = await scoreBatch(folder, ['erase', '--key', '37', ...REASON]);
  expect([erased.code, erased.stderr]).toEqual([
    78,
    expect.stringContaining('the rows that the job has published or kept have the key member_id'),
  ]);
  for (const { run_id: run } of runs) {
    const kept = path.join(folder, `${WAREHOUSE}.scratch`, run, 'frozen', 'rows', '*.parquet');
    expect(await rows(folder, `select count(*) as n from '${kept}' where c0 = 37`)).toEqual([{ n: '1' }]);
  }
});

it('warns again of what it cannot reach after it was killed between tables and files', async () => {
  const folder = await linearProject({ edit: keeping });
  const { run_id: run } = await done(folder, 'run', '--week');
  await statements(path.join(folder, WAREHOUSE), ["update marketing.score_batch_ledger set host = 'elsewhere'"]);
  const file = path.join(folder, 'jobs', 'job.yaml');
  const job = await readFile(file, 'utf8');
  await writeFile(
    file,
    job.replace('marketing.report', 'marketing.report_new').replace('reports/linear-{window}.csv', 'new-{window}.csv'),
  );
  const dry = await done(folder, 'erase', '--key', '37', '--dry-run');
  const files = [
    expect.stringContaining(`${path.join(folder, CSV)} may hold the person`),
    expect.stringMatching(/^run \S+ of 1997-W11 wrote its files on elsewhere/),
  ];
  const report = `the report table that run ${run} of 1997-W11 wrote to was not searched: it is not marketing.report_new, which the job file names now`;
  expect(dry.warnings).toEqual([report, ...files]);
  const stopped = startScoreBatch(folder, ['erase', '--key', '37', ...REASON], {
    NODE_OPTIONS: STOPS,
    STOP_BEFORE: 'rename .*new-1997-W11.csv$',
  });
  await untilStopped(stopped);
  stopped.process.kill('SIGKILL');
  await stopped.ended;
  expect(await rows(folder, 'select count(*) as n from marketing.scores where user_id = 37')).toEqual([{ n: '0' }]);
  expect((await done(folder, 'erase', '--key', '37', ...REASON)).warnings).toEqual(files);
});

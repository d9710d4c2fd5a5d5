import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { NO_LIVE } from '../src/terminal/live.ts';
import { linearProject } from './support/linear-project.ts';
import { query, repository, statements } from './support/project.ts';
import { scoreBatch, startScoreBatch } from './support/score-batch.ts';
import { CHUNKS, CSV, filesIn, SCRATCH, STAGED, slowProject, untilFiles, WAREHOUSE } from './support/steer.ts';

const RUN = ['--week', '--json', '--workers', '2'];

/** A project whose run was killed with at least three chunks staged. */
async function killedProject(): Promise<string> {
  const folder = await slowProject();
  const running = startScoreBatch(folder, RUN);
  await untilFiles(running, folder, STAGED, 3);
  running.process.kill('SIGKILL');
  await running.ended;
  return folder;
}

function warehouse(folder: string, sql: string) {
  return query(path.join(folder, WAREHOUSE), sql);
}

async function rerun(folder: string) {
  const { code, stdout, stderr } = await scoreBatch(folder, RUN);
  expect(code, stderr).toBe(0);
  const scored =
    'select count(*) as n, count(*) filter (abs(s.propensity - 1 / (1 + exp(-(0.5 * u.a - 0.25 * coalesce(u.b, 0))))) > 1.5e-6) as wrong from marketing.scores s join users u using (user_id)';
  const [row] = await warehouse(folder, scored);
  expect(row?.wrong).toBe('0');
  return JSON.parse(stdout);
}

describe('a run is never stuck after a crash', () => {
  it('with a column of the source that has another type since: a new run is begun', async () => {
    const folder = await killedProject();
    await statements(path.join(folder, WAREHOUSE), ['alter table users alter country type integer using length(country)']);
    const { chunks_resumed, rows } = await rerun(folder);
    expect([chunks_resumed, rows.frozen]).toEqual([0, CHUNKS * 1000]);
    expect(await warehouse(folder, 'select distinct country from marketing.scores')).toEqual([{ country: '2' }]);
  });

  it('with a staged file that was cut off: its chunk is scored again', async () => {
    const folder = await killedProject();
    const staged = (await filesIn(folder, SCRATCH)).filter((file) => STAGED.test(file));
    await truncate(path.join(folder, staged[0] ?? ''), 100);
    const { chunks_resumed } = await rerun(folder);
    expect(chunks_resumed).toBe(staged.length - 1);
  });

  it('with a frozen file that was cut off: a new run is begun', async () => {
    const folder = await killedProject();
    const frozen = (await filesIn(folder, SCRATCH)).filter((file) => /\/frozen\/.*\.parquet$/.test(file));
    await truncate(path.join(folder, frozen[0] ?? ''), 0);
    expect((await rerun(folder)).chunks_resumed).toBe(0);
  });
});

describe('a run that another process finishes after this one was planned', () => {
  // The moment between plan and start cannot be hit from outside, so the steps of a run are called as `run` calls them.
  it.each([
    ['shrunk', 'delete from users where user_id >= 60', 60],
    ['grown', 'insert into users select user_id + 1000, signup, a, b, country from users', 200],
  ])('is not taken for unfinished where the source has %s since', async (_, change, rows) => {
    const folder = await linearProject();
    const { begin, makePlan, run, plan } = await planned(folder);
    await begin(await makePlan());
    expect((await scoreBatch(folder, RUN)).code).toBe(0);
    await statements(path.join(folder, WAREHOUSE), [change]);
    const summary = await run(plan);
    expect(summary.rows).toEqual({ frozen: rows, scored: rows, quarantined: 0 });
    expect((await readFile(path.join(folder, CSV), 'utf8')).trimEnd().split('\n')).toHaveLength(rows + 1);
    expect(await warehouse(folder, 'select count(*) as n, count(distinct run_id) as runs from marketing.scores')).toEqual([
      { n: String(rows), runs: '1' },
    ]);
  });
});

describe('what was left undone', () => {
  it('an entry of the ledger that would lead out of scratch leads nowhere', async () => {
    const folder = await linearProject();
    expect((await scoreBatch(folder, RUN)).code).toBe(0);
    await writeFile(path.join(folder, 'precious'), '');
    await statements(path.join(folder, WAREHOUSE), ["update marketing.score_batch_ledger set run_id = '../../precious'"]);
    const { code, stderr } = await scoreBatch(folder, [...RUN, '--skip-published']);
    expect({ code, stderr }).toEqual({ code: 65, stderr: expect.stringContaining('is damaged: run_id') });
    expect(existsSync(path.join(folder, 'precious'))).toBe(true);
  });

  it('a missing report is written with --skip-published, and nothing is scored', async () => {
    const folder = await linearProject();
    await writeFile(path.join(folder, 'reports'), 'in the way');
    expect((await scoreBatch(folder, RUN)).code).toBe(74);
    await rm(path.join(folder, 'reports'));
    const { code, stdout } = await scoreBatch(folder, [...RUN, '--skip-published']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ state: 'already published', files: [path.join(folder, CSV)] });
    expect((await readFile(path.join(folder, CSV), 'utf8')).trimEnd().split('\n')).toHaveLength(101);
    expect(await warehouse(folder, "select count(*) as n from marketing.score_batch_ledger where state = 'started'")).toEqual([
      { n: '1' },
    ]);
  });

  it('a freeze that fails leaves no rows in scratch', async () => {
    const folder = await linearProject({
      query: 'select user_id, a, b, cast(country as integer) as country from users where signup >= :window_start_date',
    });
    const { code, stderr } = await scoreBatch(folder, RUN);
    expect(code).toBe(78);
    expect(stderr).toContain("Could not convert string '…' to INT32");
    expect((await filesIn(folder, SCRATCH)).filter((file) => /freezing|tapping|reading|parquet/.test(file))).toEqual([]);
  });

  it('a window that is not for the report any more leaves it with the next run', async () => {
    const folder = await linearProject();
    expect((await scoreBatch(folder, RUN)).code).toBe(0);
    const job = path.join(folder, 'jobs/job.yaml');
    await writeFile(job, (await readFile(job, 'utf8')).replace('every: week', 'every: day'));
    expect((await scoreBatch(folder, RUN)).code).toBe(0);
    const left =
      'select (select count(*) from marketing.report) as report, (select count(*) from marketing.summary) as summary, (select count(*) from marketing.scores) as scores';
    expect(await warehouse(folder, left)).toEqual([{ report: '0', summary: '0', scores: '100' }]);
  });
});

describe('refused before a row moves', () => {
  it.each([
    [
      'golden rows that the model does not give',
      (folder: string) => edit(folder, 'model/golden.csv', (csv) => csv.replace('0.5', '0.6')),
      'does not reproduce the golden scores',
    ],
    ['missing golden rows', (folder: string) => rm(path.join(folder, 'model/golden.csv')), 'golden.csv does not exist'],
    [
      'a drift gate without a reference',
      async (folder: string) => {
        await edit(folder, 'model/model.yaml', (yaml) => yaml.replace(/^reference:\n(?: .*\n)+/m, ''));
        await edit(folder, 'jobs/job.yaml', (yaml) => yaml.replace('gates:\n', 'gates:\n  max_score_psi: 0.25\n'));
      },
      'has no reference to compare with',
    ],
  ])('%s', async (_, change, said) => {
    const folder = await linearProject();
    await change(folder);
    const { code, stderr } = await scoreBatch(folder, RUN);
    expect(code).toBe(78);
    expect(stderr).toContain(said);
    expect(stderr).toMatch(/^hint: /m);
    expect(await warehouse(folder, 'select table_name from duckdb_tables()')).toEqual([{ table_name: 'users' }]);
  });
});

it('a reader of stderr that goes away does not end the run', async () => {
  const folder = await linearProject();
  const child = spawn(process.execPath, [repository('dist/cli.js'), '--week', '-v'], {
    cwd: folder,
    env: { ...process.env, SCORE_BATCH_NOW: '1997-03-17T08:00:00-05:00' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  child.stderr.destroy();
  expect((await once(child, 'exit'))[0]).toBe(0);
  expect(await readdir(path.join(folder, 'reports'))).toEqual(['linear-1997-W11.csv']);
});

it('drift that cannot be judged is said, not left out', async () => {
  const folder = await linearProject({ edit: (job) => job.replace('gates:\n', 'gates:\n  max_score_psi: 0.25\n') });
  const { code, stderr, stdout } = await scoreBatch(folder, RUN);
  expect(code).toBe(0);
  expect(stderr).toContain('warning: drift check skipped: 100 scored rows, gates.psi_min_rows is 500\n');
  expect(JSON.parse(stdout).warnings).toHaveLength(1);
});

async function edit(folder: string, name: string, change: (text: string) => string): Promise<void> {
  const file = path.join(folder, name);
  await writeFile(file, change(await readFile(file, 'utf8')));
}

/** The compiled steps of a run in a project; they start threads, which no sources can. */
async function planned(folder: string) {
  const compiled = <T>(name: string) => import(repository('.modules', 'src', name)) as Promise<T>;
  const { loadJob } = await compiled<typeof import('../src/job/load.ts')>('job/load.js');
  const { windowFromFlags } = await compiled<typeof import('../src/window/flags.ts')>('window/flags.js');
  const planning = await compiled<typeof import('../src/plan/plan.ts')>('plan/plan.js');
  const { begin } = await compiled<typeof import('../src/run/begin.ts')>('run/begin.js');
  const running = await compiled<typeof import('../src/run/run.ts')>('run/run.js');
  const silent = { info() {}, warn() {}, debug() {}, error() {}, live: NO_LIVE };
  const now = Date.parse('1997-03-17T08:00:00-05:00');
  const context = {
    folder,
    environment: {},
    maxMemory: undefined,
    now,
    began: 0,
    console: silent,
    subject: {},
    signal: new AbortController().signal,
    serving() {},
    atEnd() {},
  };
  const job = await loadJob(undefined, folder, {});
  const window = windowFromFlags({ week: true }, job.definition.time_zone, now);
  const makePlan = () => planning.makePlan(job, window, { requireGpu: false, workers: 1, phase: 'all' }, context);
  const options = { allowEmpty: false, skipEmpty: false, skipPublished: false, fresh: false };
  const plan = await makePlan();
  return {
    begin: (chosen: typeof plan) => begin(chosen, options, context),
    makePlan,
    plan,
    run: (chosen: typeof plan) => running.run(chosen, options, context),
  };
}

import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CrashPoint, start } from './crash/kill.ts';
import { LINEAR_USERS, linearProject } from './support/linear-project.ts';
import { statements } from './support/project.ts';
import { ledger, NONE, tableDifferences } from './support/publication.ts';
import { ledgerStates, publishedTables, rowsOf, warehouseOf } from './support/published.ts';
import { accept, REASON, type RefusedRun, refusedRun } from './support/refused-run.ts';
import { scoreBatch, startScoreBatch } from './support/score-batch.ts';
import { CSV, filesIn, runFolders, SCRATCH } from './support/steer.ts';
import { transcript } from './support/transcript.ts';

const WEEK = ['--week', '-q'];
const ROUTES = ['never', 'always'] as const;
type Freeze = (typeof ROUTES)[number];

/** 100 users of 1997-W11, of whom the gates want 101; and as many a week before. */
function project(freeze: Freeze = 'never', more = ''): Promise<string> {
  return linearProject({
    users: `select * replace (signup - 7 as signup) from (${LINEAR_USERS}) union all ${LINEAR_USERS}`,
    edit: (job) =>
      job
        .replace('source:\n', `source:\n  freeze: ${freeze}\n`)
        .replace('min_rows: 1', `min_rows: 101${more}`)
        .replace('report:\n', 'report:\n  page: reports/{window}.html\n'),
  });
}

async function refused(freeze: Freeze = 'never'): Promise<{ folder: string; run: RefusedRun }> {
  const folder = await project(freeze);
  return { folder, run: refusedRun(await scoreBatch(folder, WEEK)) };
}

/** Replaces a text of a file that has it. */
async function edit(folder: string, file: string, from: string, to: string): Promise<void> {
  const text = await readFile(path.join(folder, file), 'utf8');
  expect(text).toContain(from);
  await writeFile(path.join(folder, file), text.replace(from, to));
}

const nothingPublished = async (folder: string) =>
  expect(await publishedTables(folder)).toEqual(['marketing.score_batch_ledger']);

describe.each(ROUTES)('a refused run with freeze: %s', (freeze) => {
  it('is published as a run without the gate would be, and says who accepted it and why', async () => {
    const { folder, run } = await refused(freeze);
    // The source moves on; the rows that were refused are those that were looked at.
    await statements(warehouseOf(folder), ['delete from users where user_id < 50']);
    const { code, stdout, stderr } = await accept(folder, { ...run, command: [...run.command, '--json'] });
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      state: 'published',
      run_id: run.runId,
      accepted: { gates: ['min_rows'], reason: REASON, user: expect.stringMatching(/./) },
    });
    const open = await project(freeze);
    await edit(open, 'jobs/job.yaml', 'min_rows: 101', 'min_rows: 100');
    expect((await scoreBatch(open, WEEK)).code).toBe(0);
    expect(await tableDifferences(folder, open)).toEqual(NONE);
    expect(await readFile(path.join(folder, CSV), 'utf8')).toBe(await readFile(path.join(open, CSV), 'utf8'));
    expect(await ledgerStates(folder)).toEqual(['started', 'refused', 'published', 'completed']);
    expect(await runFolders(folder)).toEqual([]);
    const page = await readFile(path.join(folder, 'reports/1997-W11.html'), 'utf8');
    expect(page).toMatch(/<dt>Accepted<\/dt><dd>Published although min_rows refused: <bdi>a public holiday<\/bdi>, by /);
    expect(await readFile(path.join(open, 'reports/1997-W11.html'), 'utf8')).not.toContain('Accepted');
    const status = await scoreBatch(folder, ['status']);
    expect(status.stdout).toMatch(
      new RegExp(`^${run.runId}: published although min_rows refused: a public holiday, by .+, at `, 'm'),
    );
    // Again, and by the command of the next hour: there is nothing left to do.
    const again = await accept(folder, { ...run, command: [...run.command, '--json'] });
    expect([again.code, JSON.parse(again.stdout).state]).toEqual([0, 'already published']);
  });

  it('is not published once somebody wrote to its staging', async () => {
    const { folder, run } = await refused(freeze);
    const staged = (await filesIn(folder, `${SCRATCH}/${run.runId}/staged`)).filter((file) => file.endsWith('.parquet'));
    const [file = ''] = staged;
    const bytes = await readFile(path.join(folder, file));
    await writeFile(path.join(folder, file), bytes);
    const outcome = await accept(folder, run);
    expect(outcome.code).toBe(65);
    expect(outcome.stderr).toContain('error: the staged rows have changed since the run was refused\n');
    await nothingPublished(folder);
    expect(await ledgerStates(folder)).toEqual(['started', 'refused']);
  });

  it('is not published if its rows are gone', async () => {
    const { folder, run } = await refused(freeze);
    await rm(path.join(folder, SCRATCH, run.runId), { recursive: true });
    const outcome = await accept(folder, run);
    expect([outcome.code, outcome.stderr]).toEqual([65, expect.stringContaining(`the rows of run ${run.runId} are gone\n`)]);
    await nothingPublished(folder);
  });
});

it('never overrules reconciliation', async () => {
  const { folder, run } = await refused('always');
  const alter = async (runId: string) => {
    const files = await filesIn(folder, `${SCRATCH}/${runId}/frozen/rows`);
    const file = path.join(folder, files.find((name) => name.endsWith('.parquet')) ?? '');
    await writeFile(file, await readFile(file));
  };
  await alter(run.runId);
  const outcome = await accept(folder, run);
  expect([outcome.code, outcome.stderr]).toEqual([65, expect.stringContaining('changed after they were frozen\n')]);
  // A run that is refused by reconciliation alone has no gate to accept.
  for (const command of ['freeze', 'score']) expect((await scoreBatch(folder, [command, ...WEEK])).code).toBe(0);
  const [second = ''] = (await runFolders(folder)).filter((name) => name !== run.runId);
  await alter(second);
  expect((await scoreBatch(folder, ['publish', ...WEEK])).code).toBe(65);
  const other = await accept(folder, { ...run, command: run.command.map((word) => (word === run.runId ? second : word)) });
  expect([other.code, other.stderr]).toEqual([65, expect.stringContaining(`error: no gate refused run ${second}: `)]);
  await nothingPublished(folder);
});

it('asks for exactly the gates that refused, a reason, and no other window', async () => {
  const { folder, run } = await refused();
  const publish = (...args: string[]) => scoreBatch(folder, ['publish', ...args]);
  const named = ['--run', run.runId, '--reason', REASON];
  const cases: [args: string[], code: number, said: string][] = [
    [['--accept', 'min_rows', '--reason', REASON], 64, '--accept needs --run'],
    [['--reason', REASON], 64, '--reason needs --run'],
    [['--run', run.runId], 64, '--run needs --accept'],
    [['--run', run.runId, '--accept', 'min_rows'], 64, '--accept needs --reason'],
    [['--run', run.runId, '--accept', 'min_rows', '--reason', ' \n'], 64, '--accept needs --reason'],
    [['--run', run.runId, '--accept', 'min_rows', '--reason', 'x'.repeat(1001)], 64, '--reason has 1001 characters'],
    [[...named, '--accept', 'min_row'], 64, 'min_row is not a gate'],
    [[...named, '--accept', 'reconcile'], 64, 'reconciliation is not a gate'],
    [[...named, '--accept', 'max_drop,min_rows'], 64, `max_drop did not refuse run ${run.runId}`],
    [[...named, '--accept', 'drift'], 64, `drift did not refuse run ${run.runId}`],
    [[...named, '--accept', 'min_rows', '--skip-empty'], 64, '--skip-empty cannot be combined with --run'],
    [[...named, '--accept', 'min_rows', '--week', '1997-W10'], 64, `run ${run.runId} belongs to 1997-W11, not to 1997-W10`],
    [['--run', '1997-W11-0123456789ab', '--accept', 'min_rows', '--reason', REASON], 64, 'linear has no run 1997-W11-01'],
  ];
  for (const [args, code, said] of cases) {
    const outcome = await publish(...args);
    expect([outcome.code, outcome.stderr]).toEqual([code, expect.stringContaining(`error: ${said}`)]);
  }
  expect(await ledgerStates(folder)).toEqual(['started', 'refused']);
  expect((await publish(...named, '--accept', 'min_rows', '--week', '1997-W11')).code).toBe(0);
});

it('needs the name of every gate that refused, and takes drift for both limits of drift', async () => {
  const folder = await project('never', '\n  psi_min_rows: 1\n  max_score_psi: 0.01\n  max_feature_psi: { a: 0.01 }');
  const run = refusedRun(await scoreBatch(folder, WEEK));
  expect(run.gates).toEqual(['min_rows', 'max_score_psi', 'max_feature_psi']);
  const publish = (names: string) =>
    scoreBatch(folder, ['publish', '--run', run.runId, '--reason', REASON, '--accept', names, '-q']);
  expect(transcript(await publish('drift'), folder)).toMatchInlineSnapshot(`
    "exit 64
    stderr:
    error: min_rows also refused run <id>
    hint: accept all of them or none: min_rows,max_score_psi,max_feature_psi"
  `);
  expect((await publish('drift, min_rows')).code).toBe(0);
});

it.each([
  ['the query', 'jobs/query.sql', 'from users', 'from (from users) as users', '; changed since: the query\n'],
  ['the gates', 'jobs/job.yaml', 'min_rows: 101', 'min_rows: 1', '; changed since: the job file, model.yaml, a column of'],
  [
    'the model',
    'model/model.yaml',
    'version: "1"',
    'version: "2"',
    '; changed since: the model (1, sha256 e147a59d862d… then)\n',
  ],
])('is not published from another definition: %s', async (_, file, from, to, said) => {
  const { folder, run } = await refused();
  await edit(folder, file, from, to);
  const outcome = await accept(folder, run);
  expect([outcome.code, outcome.stderr]).toEqual([65, expect.stringContaining(said)]);
  await nothingPublished(folder);
  await edit(folder, file, to, from);
  expect((await accept(folder, run)).code).toBe(0);
});

it('is not published over a publication that the gates did not see', async () => {
  const { folder, run } = await refused();
  // Cron runs the window again, twice: once refused, and once with the rows that were late.
  const second = refusedRun(await scoreBatch(folder, WEEK));
  expect(second.runId).not.toBe(run.runId);
  expect((await runFolders(folder)).sort()).toEqual([run.runId, second.runId].sort());
  expect((await accept(folder, run)).code).toBe(0);
  const late = await accept(folder, second);
  expect([late.code, late.stderr]).toEqual([
    75,
    expect.stringContaining(`run ${run.runId} is published for 1997-W11 since run ${second.runId} was refused\n`),
  ]);
  // What cannot be published any more is dropped.
  expect(await runFolders(folder)).toEqual([]);
  await statements(warehouseOf(folder), ["insert into users select 1000, date '1997-03-12', 1, 1, 'US'"]);
  expect((await scoreBatch(folder, WEEK)).code).toBe(0);
  const replaced = await accept(folder, run);
  expect(replaced.code).toBe(75);
  expect(replaced.stderr).toMatch(/run \S+ was published, but run \S+ has since superseded it\n/);
  const [published] = (await ledger(folder)).filter(({ state }) => state === 'completed').slice(-1);
  const other = await scoreBatch(folder, [
    'publish',
    '--run',
    published?.run_id ?? '',
    '--accept',
    'empty',
    '--reason',
    REASON,
  ]);
  expect([other.code, other.stderr]).toEqual([75, expect.stringContaining('is completed, not refused\n')]);
});

it('is refused again if a further gate refuses by now', async () => {
  const folder = await project('never', '\n  max_drop: 1%');
  await statements(warehouseOf(folder), [
    "insert into users select 1000 + i, date '1997-03-05', 1, 1, 'US' from range(2) as more(i)",
  ]);
  const run = refusedRun(await scoreBatch(folder, WEEK));
  expect(run.gates).toEqual(['min_rows']);
  // The week before is published late, with 102 rows.
  expect((await scoreBatch(folder, ['--week', '1997-W10', '-q'])).code).toBe(0);
  const outcome = await accept(folder, run);
  expect(transcript(outcome, folder)).toMatchInlineSnapshot(`
    "exit 65
    stderr:
    error: the run would now be refused for another reason
      max_drop: the window has 100 rows, 1.96 % fewer than the previous window; gates.max_drop is 1 %
    hint: run the window again: the new refusal names all gates"
  `);
});

describe('a process that is killed while it publishes a refused run', () => {
  const points: [string, CrashPoint][] = [
    ['before the transaction ends', { pattern: /^duckdb COMMIT$/, occurrence: 1, phase: 'before' }],
    ['after it', { pattern: /^duckdb COMMIT$/, occurrence: 1, phase: 'after' }],
    [
      'after the last entry',
      { pattern: /^duckdb INSERT INTO \S+"score_batch_ledger" .*'completed'/, occurrence: 1, phase: 'after' },
    ],
  ];
  it.each(points)('%s: the same command leaves what it would have left', async (_, point) => {
    const { folder, run } = await refused();
    const killed = await start({ folder, environment: {} } as never, point, run.command).ended;
    expect(killed.signal, killed.stderr).toBe('SIGKILL');
    const again = await accept(folder, run);
    expect(again.code, again.stderr).toBe(0);
    const states = (await ledgerStates(folder)).join(' ');
    expect(states).toMatch(/^started refused published completed$/);
    expect(await rowsOf(folder, 'select count(*) as n from marketing.scores')).toEqual([{ n: '100' }]);
    expect((await readFile(path.join(folder, CSV), 'utf8')).split('\n')).toHaveLength(102);
    expect(await runFolders(folder)).toEqual([]);
    expect((await readdir(path.join(folder, 'reports'))).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});

it('is published once by two people at a time', async () => {
  const { folder, run } = await refused();
  const people = [run.command, [...run.command.slice(0, -1), 'another reason']];
  const outcomes = await Promise.all(people.map((command) => startScoreBatch(folder, command).ended));
  const said = outcomes.map(({ stderr }) => stderr).join('\n');
  expect(['0,0', '0,75'], said).toContain(String(outcomes.map(({ code }) => code).sort()));
  const entries = (await ledger(folder)).filter(({ publication }) => publication !== null);
  expect(entries).toHaveLength(1);
  expect(await rowsOf(folder, 'select count(*) as n from marketing.scores')).toEqual([{ n: '100' }]);
});

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { LINEAR_USERS, linearProject } from './support/linear-project.ts';
import { repository, temporaryFolder } from './support/project.ts';
import { publishedTables, rowsOf } from './support/published.ts';
import { type Outcome, scoreBatch, scoreBatchProcess } from './support/score-batch.ts';
import { transcript } from './support/transcript.ts';

const TABLES = [
  'marketing.report',
  'marketing.score_batch_ledger',
  'marketing.scores',
  'marketing.scores_quarantine',
  'marketing.summary',
];

/** The one object that `--json` prints, which must be the last line. */
function lastObject({ stdout }: Outcome): Record<string, unknown> {
  const lines = stdout.split('\n');
  expect(lines.at(-1)).toBe('');
  expect(lines.filter((line) => line.startsWith('{'))).toHaveLength(1);
  return JSON.parse(lines.at(-2) ?? '') as Record<string, unknown>;
}

describe('help', () => {
  it('shows the flags of run and the whole cron line at the root', async () => {
    const { code, stdout, stderr } = await scoreBatchProcess(await temporaryFolder(), ['--help']);
    const flags = ['job', 'week', 'date', 'hour', 'from', 'to', 'allow-open', 'allow-empty', 'skip-empty', 'skip-published'];
    for (const flag of [...flags, 'fresh', 'require-gpu', 'workers', 'json']) expect(stdout).toContain(` --${flag}`);
    for (const command of ['run', 'plan', 'status', 'report', 'check', 'model', 'init']) {
      expect(stdout).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'));
    }
    expect(stdout).toContain('cd /srv/churn && /usr/bin/node node_modules/score-batch/dist/cli.js -q --week');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('prints the version of the package', async () => {
    const { version } = JSON.parse(await readFile(repository('package.json'), 'utf8')) as { version: string };
    expect(await scoreBatchProcess(await temporaryFolder(), ['--version'])).toMatchObject({ code: 0, stdout: `${version}\n` });
  });

  it('shows the commands under model where none of them is named', async () => {
    const { stdout, stderr } = await scoreBatchProcess(await temporaryFolder(), ['model']);
    expect(stdout + stderr).toContain('inspect');
    expect(stdout + stderr).not.toContain('(outputHelp)');
  });
});

describe('usage', () => {
  const WINDOWS = 'choose one of --week, --date, --hour, or --from with --to';

  it.each<[title: string, args: string[], message: string, hint: string, environment?: NodeJS.ProcessEnv]>([
    ['no window', [], 'no window given', WINDOWS],
    ['a mistyped command', ['repot', '--week'], 'repot is not a command', 'did you mean report?'],
    ['a mistyped flag', ['--weak'], 'unknown flag --weak', 'did you mean --week?'],
    [
      'a flag that is given twice',
      ['--week', '1997-W11', '--week', '1997-W10'],
      '--week is given twice, with 1997-W11 and 1997-W10',
      'for several weeks, use `score-batch backfill --from … --to …`',
    ],
    [
      'two windows',
      ['--week', '1997-W11', '--date', '1997-03-10'],
      '--week and --date cannot be combined: each names a window',
      WINDOWS,
    ],
    [
      'a week and a range',
      ['--week', '--from', '1997-03-10'],
      '--week and --from/--to cannot be combined: each names a window',
      WINDOWS,
    ],
    ['half a range', ['--from', '1997-03-10'], '--from was given without --to', WINDOWS],
    [
      'a week that does not exist',
      ['--week', '2025-W53'],
      'the week 2025-W53 does not exist',
      '2025 has the ISO weeks W01 to W52',
    ],
    ['no week', ['--week', '2025-53'], '--week 2025-53 is not an ISO week', 'write it like 2026-W47'],
    ['no day', ['--date', '1997-02-29'], '--date 1997-02-29 is not a calendar date', 'write it like 2026-11-18'],
    ['no hour', ['--hour', '1997-03-10T24'], '--hour 1997-03-10T24 is not an hour', 'write it like 2026-11-18T09'],
    [
      'an inverted range',
      ['--from', '1997-03-17', '--to', '1997-03-10'],
      '--from 1997-03-17 is not before --to 1997-03-10',
      '--to is exclusive: for one day write the day and the day after it',
    ],
    [
      'a range without length',
      ['--from', '1997-03-10', '--to', '1997-03-10'],
      '--from 1997-03-10 is not before --to 1997-03-10',
      '--to is exclusive: for one day write the day and the day after it',
    ],
    [
      'no instant',
      ['--from', 'tomorrow', '--to', '1997-03-10'],
      '--from tomorrow is neither a date nor an instant',
      'write 2026-11-18, 2026-11-18T09:00 or 2026-11-18T09:00:00+01:00',
    ],
    [
      'an hour that the clocks skip',
      ['--hour', '1997-04-06T02'],
      'the hour 1997-04-06T02 does not exist in America/New_York: the clocks skip it',
      'choose the hour before or after it',
    ],
    [
      'an hour that the clocks show twice',
      ['--hour', '1997-10-26T01'],
      'the hour 1997-10-26T01 exists twice in America/New_York: the clocks go back',
      'write 1997-10-26T01-0400 or 1997-10-26T01-0500',
    ],
    [
      'a range that starts where the clocks jump',
      ['--from', '1997-04-06T02:30', '--to', '1997-04-06T04:00'],
      'the instant 1997-04-06T02:30:00 does not exist in America/New_York: the clocks skip it',
      'choose a later instant',
    ],
    [
      'a window that is still open',
      ['--week', '1997-W12'],
      'the window 1997-W12 is still open until 1997-03-24 00:00 (America/New_York): rows would be missing',
      'wait until it has ended, or add --allow-open',
    ],
    [
      'an hour for a query of dates',
      ['--hour', '1997-03-10T09'],
      'jobs/query.sql uses :window_start_date, but the window 1997-03-10T09 does not consist of whole days',
      'choose whole days, or use :window_start and :window_end in the query',
    ],
    [
      'a now without offset',
      ['--week'],
      'SCORE_BATCH_NOW=1997-03-17T08:00:00 is not an instant with an offset',
      'write it like 2026-11-23T08:00:00+01:00',
      { SCORE_BATCH_NOW: '1997-03-17T08:00:00' },
    ],
    [
      'a memory that is not a number',
      ['--week'],
      'SCORE_BATCH_MEMORY=500 is not a valid memory size',
      'use a size such as 512MiB or 2GB',
      { SCORE_BATCH_MEMORY: '500' },
    ],
    ['a job that is not there', ['--week', '--job', 'jbo'], 'there is no job jbo', 'did you mean job?'],
    ['a job file that is not there', ['--week', '--job', 'jobs/jbo.yaml'], 'there is no job jobs/jbo.yaml', 'choose from job'],
    [
      'a job from the environment that is not there',
      ['--week'],
      'there is no job churn',
      'choose from job',
      { SCORE_BATCH_JOB: 'churn' },
    ],
  ])('%s ends with 64 and says what to write instead', async (_, args, message, hint, environment) => {
    const folder = await linearProject();
    const outcome = await scoreBatch(folder, args, environment);
    expect(transcript(outcome, folder)).toBe(`exit 64\nstderr:\nerror: ${message}\nhint: ${hint}`);
    expect(await publishedTables(folder)).toEqual([]);
  });

  it('says where it looked for a job file', async () => {
    const folder = await temporaryFolder();
    expect(transcript(await scoreBatchProcess(folder, ['--week']), folder)).toMatchInlineSnapshot(`
      "exit 64
      stderr:
      error: there is no job file in <project>/jobs
      hint: name a job file with --job, choose the project folder with -C, or create a job with \`score-batch init NAME\`"
    `);
  });

  it('asks which of two job files is meant, and takes the one that is named', async () => {
    const folder = await linearProject();
    const job = await readFile(path.join(folder, 'jobs/job.yaml'), 'utf8');
    await writeFile(
      path.join(folder, 'jobs/other.yml'),
      job
        .replace('name: linear', 'name: other')
        .replace('linear-{', 'other-{')
        .replace('sink:', 'sink:\n  shared_tables: true'),
    );
    expect(transcript(await scoreBatchProcess(folder, ['--week']), folder)).toMatchInlineSnapshot(`
      "exit 64
      stderr:
      error: there are 2 job files in <project>/jobs
      hint: choose one with --job: job, other"
    `);
    expect(lastObject(await scoreBatchProcess(folder, ['--week', '--job', 'job', '--json'])).job).toBe('linear');
    expect(lastObject(await scoreBatchProcess(folder, ['--week', '--job', 'jobs/other.yml', '--json'])).job).toBe('other');
    expect(lastObject(await scoreBatchProcess(folder, ['--week', '--json'], { SCORE_BATCH_JOB: 'other' })).job).toBe('other');
    expect(await rowsOf(folder, 'select job, count(*) as n from marketing.scores group by job order by job')).toEqual([
      { job: 'linear', n: '100' },
      { job: 'other', n: '100' },
    ]);
  });

  it('publishes an open window where that is asked for', async () => {
    const folder = await linearProject({ users: LINEAR_USERS.replace('1997-03-10', '1997-03-17') });
    const { code } = await scoreBatchProcess(folder, ['--week', '1997-W12', '--allow-open']);
    expect(code).toBe(0);
    expect(await rowsOf(folder, 'select distinct window_label from marketing.scores')).toEqual([{ window_label: '1997-W12' }]);
  });
});

describe('a job file with problems', () => {
  it('shows where the YAML breaks', async () => {
    const folder = await linearProject({ edit: (job) => job.replace('key: [user_id]', 'key: [user_id') });
    expect(transcript(await scoreBatchProcess(folder, ['--week']), folder)).toMatchInlineSnapshot(`
      "exit 78
      stderr:
      error: the job file jobs/job.yaml has a problem
        jobs/job.yaml:9:1: Flow sequence in block collection must be sufficiently indented and end with a ]
      hint: docs/job-file.md explains every key; \`score-batch init NAME\` writes a commented example"
    `);
    expect(await publishedTables(folder)).toEqual([]);
  });

  it('shows every problem at once, with line and column', async () => {
    const folder = await linearProject({
      edit: (job) =>
        job
          .replace('time_zone: America/New_York', 'time_zone: Mars/Olympus')
          .replace('every: week', 'evry: week')
          .replace('warehouse: duckdb:data/warehouse.duckdb', 'warehouse: $' + '{NO_SUCH_VARIABLE}')
          .replace('medium: top 30%', 'medium: top 5%')
          .replace('max_quarantine_rate: 1%', 'max_quarantine_rate: 200%')
          .replace('segments: [country]', 'segments: [plan]')
          .replace('-{window}.csv', '.csv'),
    });
    expect(transcript(await scoreBatchProcess(folder, ['--week']), folder)).toMatchInlineSnapshot(`
      "exit 78
      stderr:
      error: the job file jobs/job.yaml has 6 problems
        jobs/job.yaml:3:12: time_zone: must be an IANA time zone, such as America/New_York
        jobs/job.yaml:4:1: unknown key evry; did you mean every?
        jobs/job.yaml:6:14: the environment variable NO_SUCH_VARIABLE is not set and has no default
        jobs/job.yaml:11:10: score.bands: the band medium must reach further down than high: list bands from the highest risk down
        jobs/job.yaml:21:8: report.csv: must contain {window}, or every window would overwrite the same file
        jobs/job.yaml:24:24: gates.max_quarantine_rate: a share is at most 100%
      hint: docs/job-file.md explains every key; \`score-batch init NAME\` writes a commented example"
    `);
    expect(await publishedTables(folder)).toEqual([]);
  });
});

describe('streams', () => {
  it('keeps stdout empty and tells people what was done', async () => {
    const folder = await linearProject();
    const outcome = await scoreBatchProcess(folder, ['--week']);
    const summary = outcome.stderr.slice(outcome.stderr.indexOf('published linear'));
    expect(transcript({ ...outcome, stderr: summary }, folder)).toMatchInlineSnapshot(`
      "exit 0
      stderr:
      published linear 1997-W11 (1997-03-10 00:00 to 1997-03-17 00:00, America/New_York), run <id>
        model       linear 1, sha256 e147a59d862d…, on cpu (1 chunk)
        provider    cpu, ONNX Runtime 1.30.0
        rows        100 frozen = 100 scored + 0 quarantined
        chunks      1
        tables      marketing.scores, marketing.scores_quarantine, marketing.report, marketing.summary, marketing.score_batch_ledger
        report      <project>/reports/linear-1997-W11.csv
        seconds     <s> = plan <s> + freeze <s> + score <s> + reconcile <s> + publish <s> + report <s> + clean up <s>
        scoring     <workers>
        rows/s      <rates>
        bottleneck <stage>"
    `);
    expect(await publishedTables(folder)).toEqual(TABLES);
  });

  it.each([
    ['before the flags', ['--json', '--week']],
    ['after them', ['--week', '--json']],
    ['after the command', ['run', '--json', '--week']],
    ['before the command', ['--json', 'run', '--week']],
  ])('prints one object as the last line with --json %s', async (_, args) => {
    const folder = await linearProject();
    const outcome = await scoreBatchProcess(folder, args);
    const object = lastObject(outcome);
    expect(outcome.code).toBe(0);
    expect(object).toMatchObject({
      job: 'linear',
      window: { label: '1997-W11', start: '1997-03-10T05:00:00.000Z', end: '1997-03-17T05:00:00.000Z', kind: 'week' },
      state: 'published',
      rows: { frozen: 100, scored: 100, quarantined: 0 },
      chunks: 1,
      chunks_resumed: 0,
      providers: { cpu: 1 },
      quarantined: [],
      files: [path.join(folder, 'reports/linear-1997-W11.csv')],
      warnings: [],
    });
    expect([...(object.tables as string[])].sort()).toEqual(TABLES);
    expect(Object.keys(object.seconds as object)).toEqual(
      'plan freeze score reconcile explain publish challenge report clean_up'.split(' '),
    );
    // An Airflow XCom.
    expect(outcome.stdout.length).toBeLessThan(48 * 1024);
  });

  it('says nothing on success with -q', async () => {
    const folder = await linearProject();
    expect(await scoreBatchProcess(folder, ['-q', '--week'])).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(await publishedTables(folder)).toEqual(TABLES);
  });

  it('writes one JSON object per line to stderr with SCORE_BATCH_LOG=json', async () => {
    const folder = await linearProject();
    const { code, stderr } = await scoreBatchProcess(folder, ['--week'], { SCORE_BATCH_LOG: 'json' });
    const lines = stderr.trimEnd().split('\n');
    const entries = lines.map((line) => JSON.parse(line) as { level: string; message: string });
    expect(code).toBe(0);
    expect(new Set(entries.map(({ level }) => level))).toEqual(new Set(['info']));
    expect(entries.at(-1)?.message).toContain('published linear 1997-W11');
  });

  it.each([
    ['a problem of the job', ['--week', '1997-W12', '--json']],
    ['an unknown flag', ['--json', '--weak']],
    ['an unknown flag before --json', ['--weak', '--json']],
    ['an unknown command', ['--json', 'repot']],
  ])('prints one object with --json for %s too', async (_, args) => {
    const folder = await linearProject();
    const outcome = await scoreBatchProcess(folder, args);
    const [first = ''] = outcome.stderr.split('\n');
    expect(outcome.code).toBe(64);
    expect(first).toMatch(/^error: ./);
    expect(lastObject(outcome)).toMatchObject({
      error: { kind: 'usage', exit_code: 64, message: first.replace('error: ', '') },
    });
  });
});

describe('-C', () => {
  it('works in the folder that it names', async () => {
    const folder = await linearProject();
    const elsewhere = await temporaryFolder();
    const outcome = await scoreBatchProcess(elsewhere, ['-C', folder, '--week', '--json']);
    expect(lastObject(outcome).files).toEqual([path.join(folder, 'reports/linear-1997-W11.csv')]);
    expect(await publishedTables(folder)).toEqual(TABLES);
  });

  it('finds what the job names from the project root, wherever the command runs', async () => {
    const folder = await linearProject();
    const inside = path.join(folder, 'jobs', 'weekly');
    await mkdir(inside);
    const { code } = await scoreBatchProcess(inside, ['--week', '--job', '../job.yaml']);
    expect(code).toBe(0);
    expect(await publishedTables(folder)).toEqual(TABLES);
  });
});

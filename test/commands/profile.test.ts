import { expect, it } from 'vitest';
import type { ProfileOutput } from '../../src/json/profile.ts';
import { linearProject } from '../support/linear-project.ts';
import { statements } from '../support/project.ts';
import { publishedRows, publishedTables, rowsOf, warehouseOf } from '../support/published.ts';
import { scoreBatch } from '../support/score-batch.ts';

const DAYS = ['1997-03-10', '1997-03-11', '1997-03-12'];
/** Users of the first day, the first two days, and so on: 10, 30, 90, 270, 810, 2430 and 7290. */
const GROWING = `
  select i as user_id, date '1997-03-10' + cast(floor(ln(i / 5 + 1.001) / ln(3)) as integer) as signup, (i % 20) / 10.0 as a,
    (i % 13) / 10.0 as b, 'US' as country
  from range(10930) as users(i)`;

async function profile(folder: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await scoreBatch(folder, ['-q', 'profile', ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

async function profiled(folder: string, ...args: string[]): Promise<ProfileOutput> {
  return JSON.parse(await profile(folder, '--json', ...args)) as ProfileOutput;
}

async function runDays(folder: string, days: readonly string[]): Promise<void> {
  for (const day of days) expect((await scoreBatch(folder, ['-q', '--date', day])).code).toBe(0);
}

it('says that a job has not run yet, offers to measure, and makes no ledger', async () => {
  const folder = await linearProject();
  expect(await profile(folder)).toBe(`linear has not run yet: the ledger in duckdb:data/warehouse.duckdb has no entry
  for it

To score three slices of a window and publish nothing:
  score-batch profile --measure
`);
  expect(await profiled(folder)).toMatchObject({ setting: null, runs: [], seconds: null, bottleneck: null, intervals: [] });
  expect(await publishedTables(folder)).toEqual([]);
});

it('shows the stages of too few runs, and says what is missing', async () => {
  const folder = await linearProject();
  await runDays(folder, DAYS.slice(0, 2));
  const text = await profile(folder, '--job', 'job');
  expect(text).toMatch(/^linear: 2 comparable runs of 1997-03-10 to 1997-03-11, 15 rows\nlinear 1 on cpu with \d+ workers?, /);
  expect(text).toMatch(/\nstage +seconds +share % +s per 1,000 rows\nplan +\d+\.\d{3} +\d+\.\d +\d+\.\d{3}\n/);
  expect(text).toMatch(/\n\(medians of 2 runs\)\nThe bottleneck is [a-z ]+: \d+\.\d % of a run\.\n/);
  expect(text.replaceAll('\n', ' ')).toContain(
    'takes runs with 3 different row counts; there are 2 runs with 1 different row count.',
  );
  expect(text).toContain('\n  score-batch profile --job job --measure\n');
  const { code, stderr } = await scoreBatch(folder, ['profile', '--freshness', '2h']);
  expect(code).toBe(0);
  expect(stderr).toContain('--freshness needs runs with three different row counts');
});

it('reads runs of the ledger: the line of scipy through their seconds and bytes, and what slices would cost', async () => {
  const folder = await linearProject({ users: GROWING });
  await runDays(folder, DAYS);
  // The points of test/profile/line.test.ts, where scipy has their line, in a ledger that runs have written.
  await statements(warehouseOf(folder), [
    ...withCost('1997-03-10', { rows: 1000, seconds: 2.1, bytes: 5e9 }),
    ...withCost('1997-03-11', { rows: 2000, seconds: 2.9, bytes: 5e9 }),
    ...withCost('1997-03-12', { rows: 4000, seconds: 5.2, bytes: 5e9 }),
  ]);
  const found = await profiled(folder, '--freshness', '2h', '--changed-share', '50%');
  expect(found.runs.map(({ rows, seconds, bytes }) => [rows, seconds, bytes])).toEqual([
    [1000, 2.1, 5e9],
    [2000, 2.9, 5e9],
    [4000, 5.2, 5e9],
  ]);
  expect(found.seconds?.fixed.value).toBeCloseTo(0.95, 9);
  expect(found.seconds?.fixed.high).toBeCloseTo(2.3966622117570386, 6);
  expect(found.seconds?.per_row.value).toBeCloseTo(0.00105, 9);
  expect(found.seconds?.per_row.high).toBeCloseTo(0.0015967869204891122, 9);
  expect(found.bytes).toMatchObject({ fixed: { value: 5e9, above_zero: true }, per_row: { value: 0 } });
  expect(found.stages).toMatchObject([{ stage: 'score', seconds: 2.9, share: 1 }]);
  expect(found.bottleneck).toBe('score');
  // No week was run, so the newest window is compared: a day.
  expect(found.batch).toMatchObject({ kind: 'day', hours: 24, rows: 4000, seconds: 5.2, bytes: 5e9 });
  const hourly = found.intervals.find(({ minutes }) => minutes === 60);
  expect(hourly).toMatchObject({ slices: 24, rows: 2000, bytes_per_window: 24 * 5e9 });
  expect(hourly?.seconds).toBeCloseTo(0.95 + 2000 * 0.00105, 6);
  expect(found.freshness).toEqual({ target_seconds: 7200, batch_is_enough: false, interval_minutes: 60 });
  const text = await profile(folder, '--freshness', '2h');
  expect(text).toContain('\n  fixed           0.95 s (-0.497 s to 2.4 s), includes 0\n');
  expect(text).toContain('\n  per 1,000 rows  1.05 s (0.503 s to 1.6 s)\n');
  expect(text).toContain('\n  fixed           5 GB (5 GB to 5 GB)\n');
  expect(text).toMatch(/\ndaily batch +1 +4,000 +5\.2 +5\.2 +0\.0284\n/);
  expect(text).toMatch(/\nhourly slices +24 +167 +1\.12 +\d\.\d+ +27 +0\.682\n/);
  expect(text).toContain('freshness 2 h: a slice every 1 h is the cheapest.');
  expect(text.replaceAll('\n', ' ')).toContain(
    'The smallest run had 1,000 rows; an hourly slice of 167 is outside the measured range.',
  );
  expect(text.split('\n').filter((line) => [...line].length > 80)).toEqual([]);
  const refused = await scoreBatch(folder, ['profile', '--freshness', '10m']);
  expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code: 64, stdout: '' });
  expect(refused.stderr).toContain('no interval keeps every row younger than 10 min');
  expect(refused.stderr).toContain('the shortest interval that works is every 15 min: use --freshness 16m');
});

it('leaves out runs by another model or job, and says how many', async () => {
  const folder = await linearProject({ users: GROWING });
  await runDays(folder, DAYS);
  await statements(warehouseOf(folder), [
    "update marketing.score_batch_ledger set model_digest = repeat('0', 64) where window_label = '1997-03-10'",
    "insert into marketing.score_batch_ledger select * replace ('another' as job, run_id || 'x' as run_id, entry_number + 100 as entry_number) from marketing.score_batch_ledger",
  ]);
  expect((await profiled(folder)).left_out).toEqual([{ why: 'by another model', runs: 1 }]);
  expect(await profile(folder)).toContain('\nleft out: 1 run by another model\n');
});

it('measures three slices: nothing is published, recorded or left behind', async () => {
  const folder = await linearProject({ users: GROWING });
  expect((await scoreBatch(folder, ['-q', '--week'])).code).toBe(0);
  const contents = async () => [await publishedRows(folder), await rowsOf(folder, 'from marketing.score_batch_ledger')];
  const before = await contents();
  const found = await profiled(folder, '--measure');
  expect(found.measured).toBe(true);
  const [tenth = 0, third = 0, all] = found.runs.map(({ rows }) => rows);
  expect(all).toBe(10_930);
  expect(tenth).toBeGreaterThan(900);
  expect(tenth).toBeLessThan(1300);
  expect(third).toBeGreaterThan(3000);
  expect(third).toBeLessThan(3600);
  expect(found.seconds?.points).toBe(3);
  expect(found.batch).toMatchObject({ kind: 'week', hours: 168, rows: 10_930 });
  expect(found.stages.map(({ stage }) => stage)).toEqual(expect.arrayContaining(['plan', 'score', 'publish']));
  expect(await contents()).toEqual(before);
  expect(JSON.parse((await scoreBatch(folder, ['gc', '--json'])).stdout)).toMatchObject({ left: [] });
  const text = await profile(folder, '--measure', '--date', '1997-03-16');
  expect(text).toContain('linear: 3 slices of 1997-03-16, measured now: 10 %, 30 %, 100 % of its rows');
  expect(text.replaceAll('\n', ' ')).toContain('the other stages are medians of 1 past run');
  expect(text.split('\n').filter((line) => [...line].length > 80)).toEqual([]);
});

it('measures before the first run, and says what is missing', async () => {
  const folder = await linearProject({ users: GROWING });
  const text = await profile(folder, '--measure');
  expect(text.replaceAll('\n', ' ')).toContain('Publish, report and later stages are not measured');
  expect(await publishedTables(folder)).toEqual([]);
});

it.each<[string, string[], number, string]>([
  ['a freshness without a unit', ['--freshness', '2'], 64, 'It must be a duration of at most 480 hours'],
  ['a freshness of nothing', ['--freshness', '0h'], 64, 'It must be a duration of at most 480 hours'],
  ['a share above all', ['--changed-share', '101%'], 64, 'It must be a share above 0 and at most 100%'],
  ['a share of nothing', ['--changed-share', '0'], 64, 'It must be a share above 0 and at most 100%'],
  ['a window that is not measured', ['--week', '1997-W11'], 64, 'a window can only be given with --measure'],
  ['an open window', ['--measure', '--week', '1997-W12'], 64, 'is still open until'],
  ['too few rows', ['--measure', '--week', '1997-W10'], 65, 'the rows of 1997-W10 are too few to measure slices: there are 0'],
  ['a job that does not exist', ['--job', 'nothing'], 64, 'there is no job nothing'],
])('refuses %s', async (_, args, code, message) => {
  const folder = await linearProject();
  const refused = await scoreBatch(folder, ['profile', ...args]);
  expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code, stdout: '' });
  expect(refused.stderr).toContain(message);
});

it('refuses a warehouse that does not exist', async () => {
  const folder = await linearProject({ edit: (job) => job.replace('warehouse.duckdb', 'elsewhere.duckdb') });
  expect((await scoreBatch(folder, ['profile'])).code).toBe(78);
});

/** Statements that give the run of a day these rows and this cost in the ledger, all of it in the stage `score`. */
function withCost(day: string, { rows, seconds, bytes }: { rows: number; seconds: number; bytes: number }): string[] {
  const none = ['plan', 'freeze', 'reconcile', 'explain', 'publish', 'challenge', 'report', 'clean_up'];
  const stages = Object.fromEntries([...none.map((stage) => [stage, 0]), ['score', seconds]]);
  const details = JSON.stringify({ seconds: stages, estimated_bytes: bytes });
  return [
    `update marketing.score_batch_ledger
     set details = json_merge_patch(details, '${details}'), rows_frozen = ${rows}, rows_scored = ${rows}, rows_quarantined = 0
     where window_label = '${day}' and state <> 'started'`,
    // Otherwise a run on a slow machine would have lasted longer than these seconds, as a resumed one does.
    `update marketing.score_batch_ledger set recorded_at = (
       select min(recorded_at) from marketing.score_batch_ledger where window_label = '${day}')
     where window_label = '${day}'`,
  ];
}

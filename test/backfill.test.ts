import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { demoProject } from './support/demo-project.ts';
import { linearProject } from './support/linear-project.ts';
import { statements } from './support/project.ts';
import { publishedRows, rowsOf, warehouseOf } from './support/published.ts';
import { scoreBatch, startScoreBatch } from './support/score-batch.ts';
import { slowProject, untilFiles } from './support/steer.ts';

// Many whole runs each.
vi.setConfig({ testTimeout: 300_000 });

const RANGE = ['backfill', '--from', '1997-W08', '--to', '1997-W11'];

interface Window {
  readonly window: { readonly label: string };
  readonly state: string;
  readonly run_id: string | null;
  readonly rows: { readonly frozen: number } | null;
  readonly error: { readonly kind: string; readonly message: string } | null;
}

async function backfilled(folder: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const { code, stdout, stderr } = await scoreBatch(folder, [...args, '--json'], environment);
  const data = JSON.parse(stdout) as { windows: Window[]; error: { kind: string; message: string; hint: string } | null };
  return { code, stderr, ...data, states: data.windows.map(({ window, state }) => `${window.label} ${state}`) };
}

/** Users of four weeks, from 1997-W08 to W11. @param more SELECT of further users */
function weeks(perWeek: string, more = '') {
  return `select i as user_id, date '1997-02-17' + cast(7 * w + i % 7 as integer) as signup,
      (i % 20) / 10.0 as a, case when i % 10 = 3 then null else (i % 13) / 10.0 end as b, ['US', 'DE', 'FR'][1 + i % 3] as country
    from (select w, unnest(range(10000 * w, 10000 * w + n)) as i from (values ${perWeek}) as weeks(w, n)) ${more}`;
}

const EVEN = weeks('(0, 100), (1, 110), (2, 120), (3, 130)');

/** Users that are published twice, and rows that are there. */
async function counted(folder: string) {
  const [row] = await rowsOf(folder, 'select count(*) as n, count(distinct user_id) as users from marketing.scores');
  return row;
}

it('runs what is missing of four weeks of the demo, oldest first, and leaves the rest as it is', async () => {
  const folder = await demoProject();
  const now = { SCORE_BATCH_NOW: '1997-04-14T08:00:00-04:00' };
  for (const week of ['1997-W07', '1997-W09', '1997-W10'])
    expect((await scoreBatch(folder, ['--week', week, '-q'], now)).code).toBe(0);
  // Somebody has deleted rows of W10.
  await statements(warehouseOf(folder), [
    'delete from marketing.churn_scores where window_start = (select max(window_start) from marketing.churn_scores) and rank <= 10',
  ]);
  const before = await rowsOf(folder, "select run_id from marketing.score_batch_ledger where state = 'started'");
  const range = ['backfill', '--from', '1997-W07', '--to', '1997-W10'];
  const first = await backfilled(folder, range, now);
  expect(first.code, first.stderr).toBe(0);
  expect(first.states).toEqual([
    '1997-W07 already published',
    '1997-W08 published',
    '1997-W09 already published',
    '1997-W10 published',
  ]);
  const lines = first.stderr.split('\n').filter((line) => !line.startsWith('warning: '));
  expect(lines[0]).toBe('4 windows: 2 published, 2 to run');
  expect(lines[1]).toMatch(/^1997-W08 {2}published {2}2,006 rows {2}\d+\.\d s {2}run 1997-W08-\w{12}$/);
  expect(lines[2]).toMatch(/^1997-W10 {2}published {2}2,201 rows {2}\d+\.\d s {2}run 1997-W10-\w{12}$/);
  const after = await rowsOf(folder, "select run_id from marketing.score_batch_ledger where state = 'started'");
  expect(after.length - before.length).toBe(2);
  expect((await backfilled(folder, range, now)).windows.map(({ run_id }) => run_id)).toEqual(
    first.windows.map(({ run_id }) => run_id),
  );
  const users = await rowsOf(
    folder,
    'select count(*) as n, count(distinct customer_id) as users, count(distinct run_id) as runs from marketing.churn_scores',
  );
  expect(users).toEqual([{ n: '8413', users: '8413', runs: '4' }]);
  const status = JSON.parse((await scoreBatch(folder, ['status', '--json'], now)).stdout);
  expect(status.missing.map(({ window }: { window: string }) => window)).toEqual([
    '1997-W11',
    '1997-W12',
    '1997-W13',
    '1997-W14',
    '1997-W15',
  ]);
});

it('resumes after a kill: published windows stay, the unfinished run is resumed', async () => {
  const folder = await slowProject({ users: weeks('(0, 3000), (1, 3000), (2, 3000), (3, 3000)') });
  const args = [...RANGE, '--jobs', '2', '--workers', '2'];
  const running = startScoreBatch(folder, args);
  // A chunk of the third week: the first is published by then, or nearly.
  await untilFiles(running, folder, /\/1997-W10-\w+\/staged\/chunk-\d+-[0-9a-f]+\.parquet$/, 1);
  running.process.kill('SIGKILL');
  await running.ended;
  const begun = await rowsOf(folder, "select run_id from marketing.score_batch_ledger where state = 'started'");
  const again = await backfilled(folder, args);
  expect(again.code, again.stderr).toBe(0);
  expect(await counted(folder)).toEqual({ n: '12000', users: '12000' });
  // Every run that was begun before the kill is a publication now.
  expect(again.windows.map(({ run_id }) => run_id)).toEqual(expect.arrayContaining(begun.map(({ run_id }) => run_id)));
  expect(begun.length).toBeGreaterThanOrEqual(3);
  expect(await rowsOf(folder, "select count(*) as n from marketing.score_batch_ledger where state = 'published'")).toEqual([
    { n: '4' },
  ]);
});

describe('a window that is refused', () => {
  // Three of a hundred rows of W09 have no value of a.
  const project = () =>
    linearProject({
      users: `select * replace (case when user_id between 10000 and 10002 then null else a end as a) from (${EVEN})`,
    });

  it('ends the backfill; or not, as told; the exit code is its own', async () => {
    const folder = await project();
    const stopped = await backfilled(folder, RANGE);
    expect(stopped.states).toEqual(['1997-W08 published', '1997-W09 refused', '1997-W10 not started', '1997-W11 not started']);
    expect(stopped).toMatchObject({
      code: 65,
      error: { kind: 'refused', message: '1 window failed: 1997-W09; 2 windows after it were not started' },
    });
    expect(stopped.windows[1]?.error).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('2.73 % of the rows were quarantined'),
    });
    expect(stopped.stderr).toContain('window 1997-W09, run 1997-W09-');
    const all = await backfilled(folder, [...RANGE, '--on-refusal', 'continue']);
    expect(all.states).toEqual(['1997-W08 already published', '1997-W09 refused', '1997-W10 published', '1997-W11 published']);
    expect(all).toMatchObject({ code: 65, error: { kind: 'refused', message: '1 window failed: 1997-W09' } });
    await statements(warehouseOf(folder), ['update users set a = 1 where a is null']);
    const last = await backfilled(folder, RANGE);
    expect([last.code, last.states[1]]).toEqual([0, '1997-W09 published']);
  });

  it('lets windows that run beside it finish', async () => {
    const { code, states } = await backfilled(await project(), [...RANGE, '--jobs', '2']);
    expect(code).toBe(65);
    expect(states.slice(0, 2)).toEqual(['1997-W08 published', '1997-W09 refused']);
    // W10 began when W08 ended, beside W09.
    expect(states.slice(2)).toEqual(['1997-W10 published', '1997-W11 not started']);
  });
});

describe('windows at once', () => {
  const gated = (job: string) => job.replace('min_rows: 1', 'min_rows: 1\n  max_drop: 50%');

  it.each(['never', 'always'])('publish the same in the same order as one by one (freeze %s)', async (freeze) => {
    const edit = (job: string) => gated(job.replace('source:\n', `source:\n  freeze: ${freeze}\n`));
    const [one, many] = [await linearProject({ users: EVEN, edit }), await linearProject({ users: EVEN, edit })];
    expect((await backfilled(one, RANGE)).code).toBe(0);
    const beside = await backfilled(many, [...RANGE, '--jobs', '3']);
    expect(beside.code, beside.stderr).toBe(0);
    expect(await publishedRows(many)).toEqual(await publishedRows(one));
    for (const name of await readdir(path.join(one, 'reports'))) {
      expect(await readFile(path.join(many, 'reports', name), 'utf8')).toBe(
        await readFile(path.join(one, 'reports', name), 'utf8'),
      );
    }
    const events = await rowsOf(many, 'select state, window_label as label from marketing.score_batch_ledger order by rowid');
    const labels = (state: string) => events.filter((event) => event.state === state).map(({ label }) => label);
    expect(labels('published')).toEqual(['1997-W08', '1997-W09', '1997-W10', '1997-W11']);
    // They did run at once.
    const at = (state: string, label: string) => events.findIndex((event) => event.state === state && event.label === label);
    expect(at('started', '1997-W10')).toBeLessThan(at('completed', '1997-W08'));
  });

  it('compare with the window before, though it was not published when they began', async () => {
    const folder = await linearProject({ users: weeks('(0, 100), (1, 110), (2, 30), (3, 130)'), edit: gated });
    const { code, states, windows } = await backfilled(folder, [...RANGE, '--jobs', '4']);
    expect(code).toBe(65);
    expect(states).toEqual(['1997-W08 published', '1997-W09 published', '1997-W10 refused', '1997-W11 published']);
    expect(windows[2]?.error?.message).toContain('the window has 30 rows, 72.7 % fewer than the previous window');
  });
});

describe('clocks', () => {
  it('after a change of time_zone, published windows are refused or superseded, and no user is there twice', async () => {
    const folder = await linearProject({ users: EVEN });
    expect((await backfilled(folder, ['backfill', '--from', '1997-W09', '--to', '1997-W10'])).code).toBe(0);
    const before = await publishedRows(folder);
    const job = path.join(folder, 'jobs', 'job.yaml');
    await writeFile(job, (await readFile(job, 'utf8')).replace('America/New_York', 'Europe/Berlin'));
    for (const jobs of ['1', '2']) {
      const refused = await backfilled(folder, [...RANGE, '--jobs', jobs, '--on-refusal', 'continue']);
      expect(refused.states[1]).toBe('1997-W09 failed');
      expect(refused).toMatchObject({ code: 78, error: { kind: 'configuration' } });
      expect(refused.windows[1]?.error?.message).toContain('overlaps a window that this job has published');
      expect(await counted(folder)).toMatchObject({ n: '330', users: '330' });
    }
    const now = await publishedRows(folder);
    const old = before['marketing.scores'] ?? [];
    expect(now['marketing.scores']).toEqual(expect.arrayContaining(old));
    const replaced = await backfilled(folder, [...RANGE, '--replace-overlapping', '--jobs', '2']);
    expect(replaced.code, replaced.stderr).toBe(0);
    expect(await counted(folder)).toEqual({ n: '460', users: '460' });
    const zones = await rowsOf(folder, 'select distinct epoch(window_start) % 86400 as second from marketing.scores');
    expect(zones.map(({ second }) => Number(second))).toEqual([23 * 3600]);
    expect((await backfilled(folder, RANGE)).states.every((state) => state.endsWith('already published'))).toBe(true);
  });

  it('hours that are shown twice are windows of their own', async () => {
    const folder = await linearProject({
      users: `select i as user_id, timestamptz '1997-10-26 04:00:00+00' + to_minutes(15 * i) as signup, 1.0 as a, 0.5 as b, 'US' as country
        from range(20) as users(i)`,
      query: 'select user_id, a, b, country from users where signup >= :window_start and signup < :window_end',
      edit: (text) => text.replace('every: week', 'every: hour'),
    });
    const now = { SCORE_BATCH_NOW: '1997-10-26T08:00:00-05:00' };
    const range = ['backfill', '--from', '1997-10-26T00', '--to', '1997-10-26T03'];
    const { code, stderr, states, windows } = await backfilled(folder, range, now);
    expect(code, stderr).toBe(0);
    expect(states).toEqual(['00', '01-0400', '01-0500', '02', '03'].map((hour) => `1997-10-26T${hour} published`));
    expect(windows.map(({ rows }) => rows?.frozen)).toEqual([4, 4, 4, 4, 4]);
    expect(await counted(folder)).toEqual({ n: '20', users: '20' });
  });
});

it('refuses what names no windows with exit code 64', async () => {
  const folder = await linearProject();
  for (const args of [
    ['--from', '1997-W11', '--to', '1997-W12'],
    ['--from', '1997-W10', '--to', '1997-03-10'],
    ['--from', '1997-W11'],
    ['--from', '1997-W10', '--to', '1997-W11', '--on-refusal', 'perhaps'],
  ]) {
    expect((await scoreBatch(folder, ['backfill', ...args])).code).toBe(64);
  }
});

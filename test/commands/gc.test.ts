import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { LINEAR_QUERY, LINEAR_USERS, linearProject } from '../support/linear-project.ts';
import { statements, temporaryFolder } from '../support/project.ts';
import { warehouseOf } from '../support/published.ts';
import { scoreBatch, startScoreBatch } from '../support/score-batch.ts';
import { change, sliceProject } from '../support/slice-project.ts';
import { killSlice, sliced } from '../support/sliced.ts';
import { filesIn, runFolders, SCRATCH, STAGED, slowProject, untilFiles } from '../support/steer.ts';
import { transcript } from '../support/transcript.ts';

async function gc(folder: string, ...args: string[]): Promise<string> {
  const text = transcript(await scoreBatch(folder, ['gc', ...args]), folder)
    .replaceAll(/ +/g, ' ')
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d \(America\/New_York\)/g, '<time>')
    .replaceAll(hostname(), '<host>')
    .replaceAll(/\d+-[0-9a-f]{8}/g, '<process>');
  const [code, stdout, header, ...lines] = text.split('\n');
  return [code, stdout, header, ...lines.sort()].filter((line) => line !== undefined).join('\n');
}

/** A file that DuckDB has spilled beside the run folders. */
const SPILLED = /\/spill-[^/]+\/[^/]+$/;

async function killed(folder: string): Promise<void> {
  const running = startScoreBatch(folder, ['--week']);
  await untilFiles(running, folder, STAGED, 1);
  running.process.kill('SIGKILL');
  await running.ended;
}

it('has nothing to say where nothing is left', async () => {
  const folder = await linearProject();
  expect(await gc(folder)).toBe('exit 0\nstdout:\nruns of linear have left nothing behind');
  expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
  const { stdout } = await scoreBatch(folder, ['gc', '--json']);
  expect(JSON.parse(stdout)).toEqual({ schema: 'score-batch/gc/1', job: 'linear', applied: false, left: [] });
});

it('keeps what a run can resume from, and what a refused run has to look at', async () => {
  const folder = await slowProject({ edit: (job) => job.replace('max_quarantine_rate: 1%', 'max_quarantine_rate: 0%') });
  await killed(folder);
  expect(await gc(folder, '--apply')).toMatchInlineSnapshot(`
    "exit 0
    stdout:
     left behind why
    keep <project>/data/warehouse.duckdb.scratch/<id> its run can be resumed until <time>"
  `);
  expect((await scoreBatch(folder, ['--week'])).code).toBe(65);
  expect(await gc(folder, '--apply')).toMatchInlineSnapshot(`
    "exit 0
    stdout:
     left behind why
    keep <project>/data/warehouse.duckdb.scratch/<id> its run was refused and can be inspected until <time>"
  `);
  expect(await runFolders(folder)).toHaveLength(1);
});

it('drops what is left of a killed run once another has published its window, and only when it is told to', async () => {
  const folder = await slowProject();
  await killed(folder);
  const [lost = ''] = await runFolders(folder);
  // Out of the way, or the other run would have dropped it at its end.
  await rename(path.join(folder, SCRATCH, lost), path.join(folder, lost));
  expect((await scoreBatch(folder, ['--week', '--fresh'])).code).toBe(0);
  await rename(path.join(folder, lost), path.join(folder, SCRATCH, lost));
  const { ino } = await stat(warehouseOf(folder), { bigint: true });
  await mkdir(path.join(folder, SCRATCH, `spill-of-${ino}-0123abcd`));
  expect(await gc(folder)).toMatchInlineSnapshot(`
    "exit 0
    stdout:
     left behind why
    drop <project>/data/warehouse.duckdb.scratch/<id> <id> has published the window since its run started
    drop <project>/data/warehouse.duckdb.scratch/spill-of-<process> its process has ended
    nothing was dropped; run \`score-batch gc --apply\` to drop what is marked"
  `);
  expect(await runFolders(folder)).toHaveLength(2);
  const { stdout, code } = await scoreBatch(folder, ['gc', '--apply', '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    applied: true,
    left: expect.arrayContaining([
      {
        name: path.join(folder, SCRATCH, lost),
        run_id: lost,
        deadline: expect.any(String),
        action: 'dropped',
        why: expect.any(String),
      },
    ]),
  });
  expect(await runFolders(folder)).toEqual([]);
  expect(await gc(folder)).toContain('have left nothing behind');
});

/** Whether a process can be started that sees no other processes, as in a container. */
const ELSEWHERE = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];
const cannotUnshare = spawnSync('unshare', [...ELSEWHERE.slice(1), 'true']).status !== 0;

it('in another container, leaves alone what a living process has spilled, and drops it once that is dead', async ({ skip }) => {
  skip(cannotUnshare, 'a PID namespace takes Linux and root');
  const folder = await linearProject({
    query: `${LINEAR_QUERY} and (select count(distinct md5(cast(i as varchar))) from range(4000000) as work(i)) > 0`,
  });
  const spilling = async () => {
    const running = startScoreBatch(folder, ['--week', '--fresh', '--max-memory', '600MiB']);
    await untilFiles(running, folder, SPILLED);
    running.process.kill('SIGSTOP');
    return running;
  };
  const gcElsewhere = async () => {
    const { code, stdout, stderr } = await startScoreBatch(folder, ['gc', '--apply', '--json'], {}, ELSEWHERE).ended;
    expect(code, stderr).toBe(0);
    const { left } = JSON.parse(stdout) as { left: { name: string; action: string; why: string }[] };
    return left.filter(({ name }) => name.includes('/spill-')).map(({ action, why }) => `${action}: ${why}`);
  };
  const spilled = async () => (await filesIn(folder, SCRATCH)).filter((file) => SPILLED.test(file)).length;

  const living = await spilling();
  expect(await gcElsewhere()).toEqual([expect.stringMatching(/^keep: a process may still use it; until /)]);
  expect(await spilled()).toBeGreaterThan(0);
  living.process.kill('SIGCONT');
  const { code, stderr } = await living.ended;
  expect(code, stderr).toBe(0);
  expect(await spilled()).toBe(0);

  const dead = await spilling();
  dead.process.kill('SIGKILL');
  await dead.ended;
  expect(await spilled()).toBeGreaterThan(0);
  expect(await gcElsewhere()).toEqual(['dropped: its process has ended']);
  expect(await spilled()).toBe(0);
});

it('keeps what was spilled beside a file that has been replaced, until nobody has written to it for a week', async () => {
  const folder = await linearProject();
  const scratch = path.join(folder, SCRATCH);
  const names = [`spill-of-1-0123abcd`, 'spill-0123abcd', `spill-${spawnSync('true').pid}-0123abcd`];
  for (const name of names) await mkdir(path.join(scratch, name), { recursive: true });
  const old = new Date(Date.now() - 8 * 86_400_000);
  await writeFile(path.join(scratch, 'spill-0123abcd', 'written.tmp'), '');
  for (const name of names) await utimes(path.join(scratch, name), old, old);
  await gc(folder, '--apply');
  expect(await readdir(scratch)).toEqual(['spill-0123abcd']);
  await utimes(path.join(scratch, 'spill-0123abcd', 'written.tmp'), old, old);
  await gc(folder, '--apply');
  expect(await readdir(scratch)).toEqual([]);
});

it("drops pending reports that nobody has written to for a day, and leaves others' files alone", async () => {
  const folder = await linearProject({
    edit: (job) => job.replace('reports/linear-{window}.csv', 'reports/{window}/a+{window}.csv'),
  });
  expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
  const reports = path.join(folder, 'reports', '1997-W11');
  const pending = (report: string, host: string, process: number) =>
    `.${report}.1.1997-W11-0123456789ab.${host}.${process}-0123abcd`;
  const { pid } = spawnSync('true');
  const old = [pending('a+1997-W11.csv', hostname(), process.pid), pending('a+1997-W11.csv', 'another.host', 1)];
  const recent = pending('a+1997-W11.csv', hostname(), pid);
  const foreign = [pending('b+1997-W11.csv', hostname(), pid), '.a+1997-W11.csv.swp'];
  for (const name of [...old, recent, ...foreign]) await writeFile(path.join(reports, name), '');
  const yesterday = new Date(Date.now() - 25 * 3_600_000);
  for (const name of [...old, ...foreign]) await utimes(path.join(reports, name), yesterday, yesterday);
  expect(await gc(folder, '--apply')).toMatchInlineSnapshot(`
    "exit 0
    stdout:
     left behind why
    dropped <project>/reports/1997-W11/.a+1997-W11.csv.1.<id>.<host>.<process> its deadline was <time>
    dropped <project>/reports/1997-W11/.a+1997-W11.csv.1.<id>.another.host.<process> its deadline was <time>
    keep <project>/reports/1997-W11/.a+1997-W11.csv.1.<id>.<host>.<process> a process may still use it; until <time>"
  `);
  expect((await readdir(reports)).sort()).toEqual(['a+1997-W11.csv', recent, ...foreign].sort());
});

it('a run that loses what it works with to another one says that it was too late', async () => {
  const folder = await slowProject();
  const running = startScoreBatch(folder, ['--week']);
  await untilFiles(running, folder, STAGED, 1);
  running.process.kill('SIGSTOP');
  const [lost = ''] = await runFolders(folder);
  await statements(warehouseOf(folder), [`insert into users select * from (${LINEAR_USERS}) where user_id = 99`]);
  const other = await scoreBatch(folder, ['--week', '--fresh']);
  expect(other.code, other.stderr).toBe(0);
  expect(existsSync(path.join(folder, SCRATCH, lost))).toBe(false);
  running.process.kill('SIGCONT');
  const { code, stderr } = await running.ended;
  expect(stderr).toMatch(
    /error: another run \(1997-W11-\w+\) published 1997-W11 in the meantime\n(.*\n)*hint: check `score-batch status`/,
  );
  expect(code).toBe(75);
});

it('judges the keys and rows of a slice by the slices, and drops them once the slice, or a later one, is published', async () => {
  const folder = await sliceProject();
  await sliced(folder);
  await change(folder, "insert into users values (7, timestamp '1997-03-10 22:00', 1, 1, 'US', timestamp '1997-03-10 22:00')");
  await killSlice(folder);
  const ofSlice = async (...args: string[]) => {
    const { stdout } = await scoreBatch(folder, ['gc', '--json', ...args]);
    const { left } = JSON.parse(stdout) as { left: { run_id: string; action: string; why: string }[] };
    return left.map(({ run_id, action, why }) => [run_id, action, why]).sort();
  };
  const [rows, keys] = [expect.stringMatching(/^current-\w+$/), expect.stringMatching(/^current-\w+\.keys$/)];
  const resumable = expect.stringMatching(/^its run can be resumed until /);
  expect(await ofSlice('--apply')).toEqual([
    [rows, 'keep', resumable],
    [keys, 'keep', resumable],
  ]);
  const kept = path.join(await temporaryFolder(), 'scratch');
  await cp(path.join(folder, SCRATCH), kept, { recursive: true });
  await sliced(folder);
  expect(await ofSlice()).toEqual([]);
  // As if the end of the slice had not come to its clean-up.
  const restore = () => cp(kept, path.join(folder, SCRATCH), { recursive: true });
  await restore();
  expect(await ofSlice()).toEqual([
    [rows, 'drop', 'its run has published'],
    [keys, 'drop', 'its run has published'],
  ]);
  expect(await ofSlice('--apply')).toMatchObject([{ 1: 'dropped' }, { 1: 'dropped' }]);
  expect(await runFolders(folder)).toEqual([]);
  // The end of a run of the batch does it, too.
  await restore();
  expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
  expect(await runFolders(folder)).toEqual([]);
});

it('drops kept rows of the batch when the job says so, not when a slice ends', async () => {
  const folder = await sliceProject({ edit: (job) => job.replace('source:\n', 'source:\n  keep_rows: 35 days\n') });
  expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
  const [run = ''] = await runFolders(folder);
  const mark = path.join(folder, SCRATCH, run, 'score-batch.json');
  // As if the run had been nine days ago.
  const deadline = new Date(Date.now() - 86_400_000).toISOString();
  await writeFile(mark, JSON.stringify({ ...JSON.parse(await readFile(mark, 'utf8')), deadline }));
  await sliced(folder);
  expect(await runFolders(folder)).toEqual([run]);
});

import { rename } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { query, repository, statements } from './support/project.ts';
import { type Running, scoreBatch, startScoreBatch } from './support/score-batch.ts';
import { filesIn, SCRATCH, STAGED, slowProject, untilFiles, untilStopped, WAREHOUSE } from './support/steer.ts';

// An erasure and a run, each stopped in the middle of the other one.

const ERASE = ['erase', '--key', '37', '--reason', 'request 4711'];
const STOPS = `--import ${pathToFileURL(repository('test', 'faults', 'stop.mjs')).href}`;

const project = () => slowProject({ edit: (job) => job.replace('source:\n', 'source:\n  keep_rows: 35 days\n') });

async function staging(folder: string, ...flags: string[]): Promise<Running> {
  const running = startScoreBatch(folder, ['run', '--week', '--workers', '1', ...flags]);
  const before = (await filesIn(folder, SCRATCH)).filter((file) => STAGED.test(file)).length;
  await untilFiles(running, folder, STAGED, before + 1);
  running.process.kill('SIGSTOP');
  await untilStopped(running);
  return running;
}

async function goOn(running: Running) {
  running.process.kill('SIGCONT');
  return await running.ended;
}

/** Rows of the person in all tables and kept rows, of which there are some. */
async function ofPerson(folder: string, id = 37): Promise<Record<string, unknown>> {
  const kept = (await filesIn(folder, SCRATCH)).filter((file) => /\/frozen\/rows\/.*\.parquet$/.test(file));
  const files = kept.map((file) => `'${path.join(folder, file)}'`);
  const [found] = await query(
    path.join(folder, WAREHOUSE),
    `select (select count(*) from marketing.scores where user_id = ${id}) as scores, (select count(*) from marketing.report where user_id = ${id}) as report,
       (select count(*) from read_parquet([${files.join(', ')}]) where c0 = ${id}) as kept`,
  );
  return found ?? {};
}

const NOWHERE = { scores: '0', report: '0', kept: '0' };

it('erases nothing while a run that has read the person works, and everything after it', async () => {
  const folder = await project();
  const running = await staging(folder);
  await statements(path.join(folder, WAREHOUSE), ['delete from users where user_id = 37']);
  const refused = await scoreBatch(folder, ERASE);
  expect([refused.code, refused.stderr]).toEqual([75, expect.stringContaining('may publish rows that it has already read')]);
  const run = await goOn(running);
  expect(run.code, run.stderr).toBe(0);
  expect(await ofPerson(folder)).toEqual({ scores: '1', report: '1', kept: '1' });
  const erased = await scoreBatch(folder, ERASE);
  expect(erased.code, erased.stderr).toBe(0);
  expect(await ofPerson(folder)).toEqual(NOWHERE);
}, 600_000);

it('ends with 75 where a run has begun since it looked, and that run does not publish the person from the kept rows', async () => {
  const folder = await project();
  const first = JSON.parse((await scoreBatch(folder, ['run', '--week', '--json'])).stdout).run_id as string;
  await statements(path.join(folder, WAREHOUSE), ['delete from users where user_id = 37']);
  const erasing = startScoreBatch(folder, ERASE, { NODE_OPTIONS: STOPS, STOP_BEFORE: 'duckdb COPY .*/erasing-' });
  await untilStopped(erasing);
  const running = await staging(folder, '--as-of', first);
  const erased = await goOn(erasing);
  expect([erased.code, erased.stderr]).toEqual([75, expect.stringContaining('has not finished')]);
  // Its rows are not those that it began with.
  expect((await goOn(running)).code).not.toBe(0);
  expect(await ofPerson(folder)).toEqual({ scores: '1', report: '1', kept: '0' });
  const fresh = await scoreBatch(folder, ['run', '--week', '--as-of', first, '--fresh']);
  expect(fresh.code, fresh.stderr).toBe(0);
  const again = await scoreBatch(folder, ERASE);
  expect(again.code, again.stderr).toBe(0);
  expect(await ofPerson(folder)).toEqual(NOWHERE);
}, 600_000);

/** Two erasures from the same kept rows: the rows without 38 are in place, those without 37 complete and not. */
async function twoErasures(folder: string): Promise<Running> {
  expect((await scoreBatch(folder, ['run', '--week'])).code).toBe(0);
  const other = ['erase', '--key', '38', '--reason', 'request 4712'];
  const faster = startScoreBatch(folder, other, { NODE_OPTIONS: STOPS, STOP_BEFORE: 'duckdb COPY .*/erasing-' });
  await untilStopped(faster);
  const slower = startScoreBatch(folder, ERASE, { NODE_OPTIONS: STOPS, STOP_BEFORE: 'rename .*/erased$' });
  await untilStopped(slower);
  const { code, stderr } = await goOn(faster);
  expect(code, stderr).toBe(0);
  return slower;
}

it('ends with 75 where another erasure was faster, and brings back nobody', async () => {
  const folder = await project();
  const slower = await goOn(await twoErasures(folder));
  expect([slower.code, slower.stderr]).toEqual([75, expect.stringContaining('another process changed the rows')]);
  expect(await ofPerson(folder)).toEqual({ scores: '1', report: '1', kept: '1' });
  expect(await ofPerson(folder, 38)).toEqual(NOWHERE);
  const again = await scoreBatch(folder, ERASE);
  expect(again.code, again.stderr).toBe(0);
  expect([await ofPerson(folder), await ofPerson(folder, 38)]).toEqual([NOWHERE, NOWHERE]);
}, 600_000);

it('brings back nobody where the slower one was killed before its rows were in place', async () => {
  const folder = await project();
  const slower = await twoErasures(folder);
  slower.process.kill('SIGKILL');
  await slower.ended;
  const [manifest] = (await filesIn(folder, SCRATCH)).filter((file) => /\/erasing-\w+\/frozen\.json$/.test(file));
  if (manifest === undefined) throw new Error('its rows are gone');
  const late = path.join(folder, path.dirname(manifest));
  await rename(late, path.join(path.dirname(late), 'erased'));
  const again = await scoreBatch(folder, ERASE);
  expect(again.code, again.stderr).toBe(0);
  expect([await ofPerson(folder), await ofPerson(folder, 38)]).toEqual([NOWHERE, NOWHERE]);
}, 600_000);

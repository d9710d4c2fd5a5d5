import { spawnSync } from 'node:child_process';
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { linearProject } from './support/linear-project.ts';
import { otherVersion } from './support/other-version.ts';
import { query, repository, statements } from './support/project.ts';
import { ledger } from './support/publication.ts';
import { scoreBatch, scoreBatchProcess } from './support/score-batch.ts';
import { filesIn, runFolders, SCRATCH, WAREHOUSE } from './support/steer.ts';

// A run that was killed when its rows, which are not frozen, were staged and not published.

const RUN = ['--week', '--json', '--workers', '2'];
const STAGED = /\/staged\/chunk-0-[0-9a-f]+\.tapped$/;
/** Scores that are not what the model gives, of rows that are published. */
const WRONG = `select count(*) as n, count(*) filter (abs(s.propensity - 1 / (1 + exp(-(0.5 * u.a - 0.25 * coalesce(u.b, 0))))) > 1.5e-6) as wrong
  from marketing.scores s join users u using (user_id)`;

/** @returns the project's folder and the attempt's, relative to it */
async function stagedProject(): Promise<[folder: string, attempt: string]> {
  const folder = await linearProject({
    edit: (job) => job.replace('chunk_rows: 10', 'batch_rows: 16').replace('source:\n', 'source:\n  freeze: never\n'),
  });
  const { signal, stderr } = await scoreBatchProcess(folder, RUN, {
    NODE_OPTIONS: `--import ${pathToFileURL(repository('test/crash/preload.mjs'))}`,
    CRASH_AT: JSON.stringify({ pattern: '^rename .*/tapping-', occurrence: 1, phase: 'after' }),
  });
  expect(signal, stderr).toBe('SIGKILL');
  const staged = (await filesIn(folder, SCRATCH)).filter((file) => STAGED.test(file));
  expect(staged).toHaveLength(1);
  // What is published is what was scored.
  await statements(path.join(folder, WAREHOUSE), ['update users set a = 0.75 where user_id = 7']);
  return [folder, staged[0] ?? ''];
}

/** The same command publishes every row, each once, and leaves nothing. @returns its summary, and how many scores are of the source as it was */
async function rerun(folder: string) {
  const { code, stdout, stderr } = await scoreBatch(folder, RUN);
  expect(code, stderr).toBe(0);
  const [found] = await query(path.join(folder, WAREHOUSE), WRONG);
  expect(found?.n).toBe('100');
  expect(new Set((await ledger(folder)).map(({ run_id }) => run_id)).size).toBe(1);
  expect(await runFolders(folder)).toEqual([]);
  return { resumed: JSON.parse(stdout).chunks_resumed, old: Number(found?.wrong), stderr };
}

it('publishes what was staged, and scores nothing again', async () => {
  const [folder] = await stagedProject();
  expect(await rerun(folder)).toMatchObject({
    resumed: 1,
    old: 1,
    stderr: expect.stringContaining('100 rows of 1997-W11 are already staged'),
  });
});

// A machine that lost power may have kept the folder and lost what was written into it.
it.each<[string, (attempt: string) => Promise<void>]>([
  ['outcomes that are gone', (attempt) => rm(path.join(attempt, 'outcomes'))],
  ['no outcomes', (attempt) => truncate(path.join(attempt, 'outcomes'), 0)],
  ['outcomes of some rows', (attempt) => truncate(path.join(attempt, 'outcomes'), 3 * 16 * 12)],
  ['rows that are cut off', async (attempt) => truncate(await rowsOf(attempt), 100)],
  ['rows that are gone', async (attempt) => rm(await rowsOf(attempt))],
  ['nothing that says what it is', (attempt) => rm(path.join(attempt, 'window.json'))],
  ['been written before the machine was started', (attempt) => beforeThisBoot(attempt)],
  ['half of what says what it is', (attempt) => truncate(path.join(attempt, 'window.json'), 20)],
])('scores anew where an attempt has %s', async (_, damage) => {
  const [folder, attempt] = await stagedProject();
  await damage(path.join(folder, attempt));
  expect(await rerun(folder)).toMatchObject({ resumed: 0, old: 0 });
});

async function beforeThisBoot(attempt: string): Promise<void> {
  const file = path.join(attempt, 'batch.json');
  const batch = JSON.parse(await readFile(file, 'utf8'));
  expect(batch.boot).toMatch(/^[0-9a-f-]{36}$/);
  await writeFile(file, JSON.stringify({ ...batch, boot: '00000000-0000-0000-0000-000000000000' }));
}

async function rowsOf(attempt: string): Promise<string> {
  const folder = path.join(attempt, 'rows');
  return path.join(folder, (await readdir(folder))[0] ?? '');
}

it('scores anew what another version scored, and the ledger says what did', async () => {
  const [folder] = await stagedProject();
  const { stdout, stderr, status } = spawnSync(process.execPath, [await otherVersion('9.9.9'), ...RUN], {
    cwd: folder,
    env: { ...process.env, SCORE_BATCH_NOW: '1997-03-17T08:00:00-05:00' },
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  expect(stderr).toContain('100 rows were scored by another scorer and will not be reused');
  expect(JSON.parse(stdout)).toMatchObject({ state: 'published', chunks: 1, chunks_resumed: 0 });
  const file = path.join(folder, WAREHOUSE);
  const version = `select details ->> '$.scorer.score_batch' as version from marketing.score_batch_ledger where state = 'published'`;
  expect(await query(file, version)).toEqual([{ version: '9.9.9' }]);
  expect(await query(file, WRONG)).toEqual([{ n: '100', wrong: '0' }]);
});

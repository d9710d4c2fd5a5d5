import { spawnSync } from 'node:child_process';
import { cp, mkdir, readdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { LINEAR_USERS, linearProject } from './support/linear-project.ts';
import { otherVersion } from './support/other-version.ts';
import { query, statements, temporaryFolder } from './support/project.ts';
import { ledger } from './support/publication.ts';
import { scoreBatch, scoreBatchProcess } from './support/score-batch.ts';
import { runFolders, SCRATCH, WAREHOUSE } from './support/steer.ts';

// What flows is trusted by what it is, not by what it is called: sources, frozen rows, scorers.

const OTHER_USERS = LINEAR_USERS.replace('(i % 20) / 10.0 as a', '(i % 20) / 10.0 + 3 as a');

/** Two checkouts with equal jobs and keys and other values, which publish to one database. */
async function twoCheckouts() {
  const sink = path.join(await temporaryFolder(), 'sink.duckdb');
  const edit = (job: string) =>
    job.replace('chunk_rows: 10', 'chunk_rows: 2').replace('sink:\n', `sink:\n  warehouse: duckdb:${sink}\n`);
  const [a, b] = await Promise.all([linearProject({ edit }), linearProject({ edit, users: OTHER_USERS })]);
  return { a, b, sink };
}

/** Rows of the sink whose score is what the model gives for the user of a checkout. */
async function rowsFrom(checkout: string, sink: string): Promise<number> {
  const users = await query(path.join(checkout, WAREHOUSE), 'select user_id, a, b from users');
  const scores = await query(sink, 'select user_id, propensity from marketing.scores');
  const expected = new Map(
    users.map(({ user_id, a, b }) => [user_id, 1 / (1 + Math.exp(0.25 * Number(b ?? 0) - 0.5 * Number(a)))]),
  );
  return scores.filter(({ user_id, propensity }) => Math.abs(Number(propensity) - Number(expected.get(user_id))) < 1e-5).length;
}

it('two checkouts that run at once publish the rows of one of them, whole', async () => {
  const { a, b, sink } = await twoCheckouts();
  const outcomes = await Promise.all([a, b].map((folder) => scoreBatchProcess(folder, ['--week', '--json'])));
  // Who comes second replaces the other's publication, or has seen that it cannot.
  for (const { code, stderr } of outcomes) expect([0, 75], stderr).toContain(code);
  expect(outcomes.map(({ code }) => code)).toContain(0);
  const ids = outcomes.flatMap(({ code, stdout }) => (code === 0 ? JSON.parse(stdout).run_id : []));
  expect(new Set(ids).size).toBe(ids.length);
  expect((await Promise.all([a, b].map((folder) => rowsFrom(folder, sink)))).sort((x, y) => x - y)).toEqual([0, 100]);
});

it('what one checkout scored is never published by the other', async () => {
  const { a, b, sink } = await twoCheckouts();
  const done = async (folder: string, ...args: string[]) => {
    const { code, stderr } = await scoreBatch(folder, [...args, '--week']);
    expect(code, stderr).toBe(0);
  };
  await done(a, 'freeze');
  await done(b, 'freeze');
  await done(b, 'score');
  const { code, stderr } = await scoreBatch(a, ['publish', '--week']);
  expect({ code, stderr }).toMatchObject({ code: 75, stderr: expect.stringContaining('has no complete attempt') });
  await done(a, 'score');
  await done(a, 'publish');
  expect(await rowsFrom(a, sink)).toBe(100);
});

it('chunks that another version scored are scored again, and the ledger says what scored', async () => {
  const folder = await linearProject();
  for (const command of ['freeze', 'score']) expect((await scoreBatch(folder, [command, '--week'])).code).toBe(0);
  const other = await otherVersion('9.9.9');
  const { stdout, stderr, status } = spawnSync(process.execPath, [other, '--week', '--json'], {
    cwd: folder,
    env: { ...process.env, SCORE_BATCH_NOW: '1997-03-17T08:00:00-05:00' },
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  expect(stderr).toContain('10 chunks were scored by another scorer');
  // The same run: only its chunks are scored anew.
  expect(JSON.parse(stdout)).toMatchObject({ state: 'published', chunks: 10, chunks_resumed: 0 });
  expect(new Set((await ledger(folder)).map(({ run_id }) => run_id)).size).toBe(1);
  const [row] = await query(
    path.join(folder, WAREHOUSE),
    `select details ->> '$.scorer.score_batch' as version, details ->> '$.scorer.onnxruntime' as onnxruntime,
       details ->> '$.scorer.processor' as processor
     from marketing.score_batch_ledger where state = 'published'`,
  );
  expect(row).toMatchObject({ version: '9.9.9', onnxruntime: '1.30.0', processor: expect.stringContaining(process.arch) });
});

it('frozen rows that somebody wrote to are refused, and the same command then freezes anew', async () => {
  const folder = await linearProject();
  expect((await scoreBatch(folder, ['freeze', '--week'])).code).toBe(0);
  const [run = ''] = await runFolders(folder);
  const rows = path.join(folder, SCRATCH, run, 'frozen', 'rows');
  const [name = ''] = await readdir(rows);
  const file = path.join(rows, name);
  await statements(path.join(await temporaryFolder(), 'any.duckdb'), [
    `copy (select * replace (c2 + 3 as c2) from read_parquet('${file}')) to '${file}.new' (format parquet)`,
  ]);
  await rename(`${file}.new`, file);
  const refused = await scoreBatch(folder, ['--week']);
  expect(refused).toMatchObject({ code: 65, stderr: expect.stringContaining('changed after they were frozen') });
  expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
  expect(await rowsFrom(folder, path.join(folder, WAREHOUSE))).toBe(100);
  const entries = await ledger(folder);
  expect(entries.map(({ state }) => state)).toEqual(['started', 'started', 'refused', 'started', 'published', 'completed']);
  expect(new Set(entries.map(({ run_id }) => run_id)).size).toBe(2);
});

it('a database that was copied is another source, and one that was moved is the same', async () => {
  const folder = await linearProject();
  expect((await scoreBatch(folder, ['freeze', '--week'])).code).toBe(0);
  const freeze = async (): Promise<string> => {
    const { code, stdout, stderr } = await scoreBatch(folder, ['freeze', '--week', '--json']);
    expect(code, stderr).toBe(0);
    return JSON.parse(stdout).run_id;
  };
  const before = await freeze();
  await mkdir(path.join(folder, 'elsewhere'));
  await rename(path.join(folder, WAREHOUSE), path.join(folder, 'elsewhere', 'w.duckdb'));
  await rename(path.join(folder, 'elsewhere', 'w.duckdb'), path.join(folder, WAREHOUSE));
  expect(await freeze()).toBe(before);
  await cp(path.join(folder, WAREHOUSE), path.join(folder, 'copy.duckdb'));
  await rename(path.join(folder, 'copy.duckdb'), path.join(folder, WAREHOUSE));
  expect(await freeze()).not.toBe(before);
});

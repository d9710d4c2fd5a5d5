import { createHash } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { checkCommand } from '../../src/commands/check.ts';
import type { Context } from '../../src/context.ts';
import { NO_LIVE } from '../../src/terminal/live.ts';
import { linearProject } from '../support/linear-project.ts';
import { statements } from '../support/project.ts';
import { publishedTables, warehouseOf } from '../support/published.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { transcript } from '../support/transcript.ts';

it('finds everything in order, and leaves nothing behind', async () => {
  const folder = await linearProject();
  const outcome = await scoreBatch(folder, ['check']);
  expect(transcript(outcome, folder).replace(/\d\.\de-\d/, '<difference>')).toMatchInlineSnapshot(`
    "exit 0
    stdout:
    ok      model: linear 1, sha256 e147a59d862d…
    ok      golden rows: 9 rows agree on cpu, largest difference <difference>
            cpu, ONNX Runtime 1.30.0
    ok      source: <project>/data/warehouse.duckdb can be read
    ok      query: jobs/query.sql has 4 columns
    ok      tables: existing tables have the right columns; a run creates missing ones
    ok      report folder: reports/linear-{window}.csv can be written
    ok      sink: <project>/data/warehouse.duckdb can be written"
  `);
  const { code, stdout } = await scoreBatch(folder, ['check', '--json']);
  const { job, ok, checks } = JSON.parse(stdout) as { job: string; ok: boolean; checks: { check: string; ok: boolean }[] };
  expect({ code, job, ok }).toEqual({ code: 0, job: 'linear', ok: true });
  expect(checks.map(({ check }) => check)).toEqual([
    'model',
    'golden rows',
    'source',
    'query',
    'tables',
    'report folder',
    'sink',
  ]);
  expect(await publishedTables(folder)).toEqual([]);
});

it('shows every failure at once, each with its hint, and ends with the code of the first', async () => {
  const folder = await linearProject({
    model: 'digest',
    query: 'select nothing from users where signup >= :window_start_date',
  });
  const outcome = await scoreBatch(folder, ['check']);
  expect(outcome.code).toBe(78);
  expect(outcome.stdout.match(/^FAILED {2}\w+/gm)).toEqual(['FAILED  model', 'FAILED  query']);
  expect(outcome.stdout.match(/^ok {6}\w+/gm)).toEqual(['ok      source', 'ok      report', 'ok      sink']);
  expect(outcome.stdout).toContain('Referenced column "nothing" not found');
  expect(outcome.stdout.match(/^ +hint: /gm)).toHaveLength(2);
  // Nothing but checks and what belongs to them, indented.
  for (const line of outcome.stdout.trimEnd().split('\n')) expect(line).toMatch(/^(ok {4}|FAILED| {8})/);
  // Said once: what failed stands in the list.
  expect(outcome.stderr).toBe('');
});

it('prints one object with --json where something fails', async () => {
  const folder = await linearProject({ model: 'digest' });
  const { code, stdout } = await scoreBatch(folder, ['check', '--json']);
  expect(code).toBe(78);
  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  expect(JSON.parse(stdout)).toMatchObject({
    job: 'linear',
    ok: false,
    checks: [
      { check: 'model', ok: false },
      { check: 'source', ok: true },
      { check: 'query', ok: true },
      { check: 'report folder', ok: true },
      { check: 'sink', ok: true },
    ],
  });
});

it('finds a table with another schema, and a missing warehouse', async () => {
  const folder = await linearProject();
  await statements(warehouseOf(folder), ['create schema marketing', 'create table marketing.summary (users integer)']);
  const other = await scoreBatch(folder, ['check']);
  expect(other.code).toBe(78);
  expect(other.stdout).toContain('FAILED  tables: marketing.summary');
  await rm(warehouseOf(folder));
  const missing = await scoreBatch(folder, ['check']);
  expect(missing.code).toBe(78);
  expect(missing.stdout).toContain('FAILED  source: the DuckDB file ');
});

/** Every file and folder of a project with what is in it, and every table of its warehouse. */
async function everything(folder: string): Promise<unknown> {
  const names = (await readdir(folder, { recursive: true })).sort();
  const contents = await Promise.all(
    names.map(async (name) => [name, await readFile(path.join(folder, name), 'base64').catch(() => 'a folder')]),
  );
  return contents.map(([name, text]) => `${name} ${createHash('sha256').update(String(text)).digest('hex')}`);
}

it.each<[string, (folder: string) => Promise<unknown>, number]>([
  ['all is well', async () => undefined, 0],
  ['the model is broken', (folder) => writeFile(path.join(folder, 'model/model.onnx'), 'no model'), 78],
  ['the report would stand in a file', (folder) => writeFile(path.join(folder, 'reports'), 'a file'), 77],
  ['the sink is to be made', (folder) => withSink(folder, 'new/deep/sink.duckdb'), 0],
  ['the sink would stand in a file', (folder) => withSink(folder, 'jobs/job.yaml/sink.duckdb'), 78],
  ['the report would be a URL', (folder) => inJob(folder, 'reports/linear-', 'https://bucket/linear-'), 78],
])('leaves nothing behind where %s', async (_, arrange, code) => {
  const folder = await linearProject();
  await arrange(folder);
  const before = await everything(folder);
  const outcome = await scoreBatch(folder, ['check']);
  expect({ ...outcome, before: await everything(folder) }).toMatchObject({ code, before });
});

async function inJob(folder: string, text: string, other: string): Promise<void> {
  const file = path.join(folder, 'jobs/job.yaml');
  await writeFile(file, (await readFile(file, 'utf8')).replace(text, other));
}

async function withSink(folder: string, file: string): Promise<void> {
  await inJob(folder, 'sink:\n', `sink:\n  warehouse: duckdb:${file}\n`);
}

it('prints with -q only what fails', async () => {
  const folder = await linearProject();
  expect(await scoreBatch(folder, ['-q', 'check'])).toMatchObject({ code: 0, stdout: '', stderr: '' });
  await writeFile(path.join(folder, 'reports'), 'a file where a folder should be');
  const { code, stdout } = await scoreBatch(folder, ['check', '-q']);
  expect(code).toBe(77);
  expect(stdout).toMatch(/^FAILED {2}report folder: .*\n {8}hint: .*\n$/);
});

it('a bug is not a failed check: it is thrown as it is', async () => {
  const bug = new TypeError("Cannot read properties of undefined (reading 'x')");
  const folder = await linearProject();
  const context: Context = {
    folder,
    environment: {},
    maxMemory: undefined,
    now: Date.parse('1997-03-17T13:00:00Z'),
    began: 0,
    console: { info() {}, error() {}, warn() {}, debug() {}, live: NO_LIVE },
    subject: {},
    signal: new Proxy(new AbortController().signal, {
      get() {
        throw bug;
      },
    }),
    serving() {},
    atEnd() {},
  };
  await expect(checkCommand({}, context)).rejects.toBe(bug);
});

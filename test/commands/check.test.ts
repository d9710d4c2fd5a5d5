import { rm } from 'node:fs/promises';
import { expect, it } from 'vitest';
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
    ok      tables: as they should be, where they are there; a run makes the others
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

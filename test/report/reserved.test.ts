import { link, mkdir, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { templateProblem } from '../../src/domain/report-template.ts';
import { type Reserved, refuseReserved, reservedAt } from '../../src/report/reserved.ts';
import { linearProject } from '../support/linear-project.ts';
import { temporaryFolder } from '../support/project.ts';
import { publishedTables, warehouseOf } from '../support/published.ts';
import { scoreBatch } from '../support/score-batch.ts';

/** A folder with a database that has several names, and a scratch folder that does not exist yet. */
async function place(): Promise<{ at: (name: string) => string; reserved: Reserved[] }> {
  const folder = await temporaryFolder();
  const at = (name: string) => path.join(folder, name);
  await mkdir(at('data'));
  await writeFile(at('data/w.duckdb'), 'a database');
  await symlink('data', at('linked'));
  await symlink('data/w.duckdb', at('symbolic.csv'));
  await link(at('data/w.duckdb'), at('hard.csv'));
  await symlink('data/new.duckdb', at('dangling.csv'));
  const names = ['data/w.duckdb', 'data/w.duckdb.wal', 'data/w.duckdb.scratch', 'data/new.duckdb'];
  return { at, reserved: names.map((name) => ({ what: 'a file of the warehouse', path: at(name) })) };
}

it.each([
  'data/w.duckdb',
  'linked/w.duckdb',
  'data/../data/w.duckdb',
  'data/W.DuckDB',
  'symbolic.csv',
  'hard.csv',
  'data/w.duckdb.wal',
  'data/w.duckdb.scratch/run/report.csv',
  'linked/w.duckdb.scratch/report.csv',
  'data/new.duckdb',
  'linked/new.duckdb',
])('refuses %s: it is the warehouse, or part of it', async (name) => {
  const { at, reserved } = await place();
  await expect(refuseReserved([{ kind: 'csv', path: at(name) }], reserved)).rejects.toMatchObject({ kind: 'configuration' });
});

it.each(['data/w.csv', 'data/w.duckdb.csv', 'reports/2026/w.csv', 'w.duckdb', 'linked/reports/w.csv'])(
  'accepts %s',
  async (name) => {
    const { at, reserved } = await place();
    expect(await reservedAt(at(name), reserved)).toBeUndefined();
  },
);

it.each([
  ['S3://bucket/{window}.csv', /^must begin with s3:\/\/, in lower case and with two slashes$/],
  ['gs:/bucket/{window}.csv', /^must begin with gs:\/\//],
  ['abfss://c@account/{window}.csv', /^must be a local path, gs:\/\/ or s3:\/\/: score-batch cannot write reports to abfss:/],
  ['file:///srv/{window}.csv', /^must be a path, not a URL/],
  ['reports/\u202e{window}.csv', /^must not contain control characters$/],
])('refuses %s as a path', (template, problem) => {
  expect(templateProblem(template)).toMatch(problem);
});

it.each(['C:/reports/{window}.csv', 'reports/a:b-{window}.csv'])('accepts %s as a path', (template) => {
  expect(templateProblem(template)).toBeUndefined();
});

describe('a run', () => {
  const reportAt = (csv: string) => (job: string) => job.replace(/csv: .*/, `csv: ${csv}`);

  it('never replaces a database that it will create, even with --force', async () => {
    const folder = await linearProject({
      edit: (job) =>
        reportAt('data/sink-{window}.duckdb')(job).replace('sink:\n', 'sink:\n  warehouse: duckdb:data/sink-1997-W11.duckdb\n'),
    });
    for (const args of [['--week', '--force'], ['check'], ['plan', '--week']]) {
      const { code, stdout, stderr } = await scoreBatch(folder, args);
      expect(code).toBe(78);
      expect(stdout + stderr).toContain("would overwrite a file of the sink's warehouse");
    }
    await expect(stat(path.join(folder, 'data/sink-1997-W11.duckdb'))).rejects.toThrow();
  });

  it.each(['model/{window}.csv', './model/deeper/{window}.csv'])('refuses a report inside the bundle: %s', async (csv) => {
    const folder = await linearProject({ edit: reportAt(csv) });
    const { code, stderr } = await scoreBatch(folder, ['--week', '--force']);
    expect({ code, stderr }).toMatchObject({ code: 78, stderr: expect.stringContaining('would overwrite the model bundle') });
  });

  it('leaves the database intact that its report path links to', async () => {
    const folder = await linearProject();
    await mkdir(path.join(folder, 'reports'));
    await link(warehouseOf(folder), path.join(folder, 'reports/linear-1997-W11.csv'));
    expect((await scoreBatch(folder, ['--week', '--force'])).code).toBe(78);
    expect(await publishedTables(folder)).toEqual([]);
  });
});

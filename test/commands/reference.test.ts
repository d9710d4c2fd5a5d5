import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readBaseline } from '../../src/explain/baseline.ts';
import { loadBundle } from '../../src/model/bundle.ts';
import { linearProject } from '../support/linear-project.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { transcript } from '../support/transcript.ts';

const QUERY = 'select a, b from users order by user_id';

it('prints what belongs into model.yaml, keeps the golden rows that are there, and writes both when it is told to', async () => {
  const folder = await linearProject();
  const yaml = path.join(folder, 'model/model.yaml');
  const golden = path.join(folder, 'model/golden.csv');
  await writeFile(yaml, `# Ask growth before you change it.\n${await readFile(yaml, 'utf8')}`);
  const before = await readFile(golden, 'utf8');
  const printed = await scoreBatch(folder, ['model', 'reference', 'model', '--query', QUERY, '--golden-rows', '3']);
  expect(transcript(printed, folder)).toMatchInlineSnapshot(`
    "exit 0
    stdout:
    # the query: 100 rows, 100 scored, 0 excluded because a run would not score them
    # <project>/model/golden.csv already exists and was kept; add --force to replace it
    # wrote <project>/model/baseline.csv: 100 baseline rows
    reference:
      score: { edges: [ 0.491, 0.516, 0.53742984, 0.547, 0.571, 0.602, 0.637, 0.654, 0.6737071 ], shares: [ 0.1, 0.09, 0.09, 0.1, 0.1, 0.11, 0.11, 0.05, 0.14, 0.11 ] }
      features:
        a: { edges: [ 0.15, 0.35, 0.55, 0.75, 0.95, 1.15, 1.35, 1.55, 1.75 ], shares: [ 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1 ] }
        b: { edges: [ 0.05, 0.15, 0.25, 0.45, 0.55, 0.65, 0.75, 0.95, 1.05 ], shares: [ 0.077777778, 0.077777778, 0.077777778, 0.155555556, 0.077777778, 0.088888889, 0.077777778, 0.155555556, 0.066666667, 0.144444444 ], nulls: 0.1 }
    baseline: { a: 0.9, b: 0.5 }
    baseline_rows: { file: baseline.csv, sha256: 522c9c964c18d25d066d0bb6f84fa94ddcce2545087882713791f1f336b18bf6 }"
  `);
  expect(await readFile(golden, 'utf8')).toBe(before);

  await writeFile(path.join(folder, 'q.sql'), `-- rows of the training set\n${QUERY};\n`);
  const args = ['--query', 'q.sql', '--warehouse', 'duckdb:data/warehouse.duckdb', '--write', '--force', '--json'];
  const written = await scoreBatch(folder, ['model', 'reference', 'model/model.onnx', ...args]);
  expect(written.code).toBe(0);
  const { rows, golden: made } = JSON.parse(written.stdout) as { rows: number; golden: { rows: number; written: boolean } };
  expect([rows, made.written]).toEqual([100, true]);
  const text = await readFile(yaml, 'utf8');
  expect(text).toMatch(/^# Ask growth before you change it\.\n/);
  const { reference, baseline, baseline_rows } = parse(text) as Record<string, unknown>;
  expect({ reference, baseline, baseline_rows }).toEqual(parse(printed.stdout));
  // Each row of the query is as likely as any other, and the choice is the same each time; the digest is the file's.
  const baselineFile = await readFile(path.join(folder, 'model/baseline.csv'));
  expect(baseline_rows).toEqual({ file: 'baseline.csv', sha256: createHash('sha256').update(baselineFile).digest('hex') });
  expect((await readBaseline(await loadBundle(path.join(folder, 'model')))).rows).toBe(100);
  expect((await readFile(golden, 'utf8')).trim().split('\n')).toHaveLength(made.rows + 1);
  expect((await readdir(path.join(folder, 'model'))).sort()).toEqual([
    'baseline.csv',
    'golden.csv',
    'model.onnx',
    'model.yaml',
  ]);
  const verified = await scoreBatch(folder, ['model', 'verify', 'model']);
  expect(verified.stdout).toContain(`${made.rows} golden rows agree, largest difference 0.0e+0`);
});

describe('refuses', () => {
  it.each<[title: string, args: readonly string[], code: number, message: string]>([
    ['to be told no rows', [], 64, 'needs a source of rows'],
    [
      'a warehouse that it cannot read',
      ['--query', QUERY, '--warehouse', 'bigquery://p'],
      78,
      'reads only DuckDB files and CSV files',
    ],
  ])('%s', async (_, args, code, message) => {
    const folder = await linearProject();
    const outcome = await scoreBatch(folder, ['model', 'reference', 'model', ...args]);
    expect(outcome).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(message) });
    expect(outcome.stderr).toMatch(/^hint: ./m);
  });
});

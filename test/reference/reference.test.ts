import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, it } from 'vitest';
import { loadBundle } from '../../src/model/bundle.ts';
import { verifyBundle } from '../../src/model/verify.ts';
import { seededRandom } from '../../src/random.ts';
import { featureReference } from '../../src/reference/feature-reference.ts';
import { makeReference, showExcluded } from '../../src/reference/reference.ts';
import { createSampler } from '../../src/reference/sample.ts';
import type { TrainingSource } from '../../src/reference/training-rows.ts';
import { repository, temporaryFolder } from '../support/project.ts';

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

async function bundleOf(model: string, edit = (yaml: string) => yaml) {
  const folder = await temporaryFolder();
  await cp(repository('test', 'fixtures', 'models', model), folder, { recursive: true });
  const yaml = path.join(folder, 'model.yaml');
  await writeFile(yaml, edit(await readFile(yaml, 'utf8')));
  return await loadBundle(folder);
}

async function made(
  bundle: Awaited<ReturnType<typeof bundleOf>>,
  source: TrainingSource | string,
  { expected = [] as readonly string[], goldenRows = 5 } = {},
) {
  const csv = path.join(bundle.folder, 'rows.csv');
  if (typeof source === 'string') await writeFile(csv, source);
  return await makeReference(bundle, {
    source: typeof source === 'string' ? { csv } : source,
    expected,
    goldenRows,
    signal: new AbortController().signal,
  });
}

describe('from a CSV file', () => {
  it('leaves out what a run would quarantine, says why, and takes nulls as the model does', async () => {
    const rows = Array.from({ length: 100 }, (_, i) => `${i - 50},${i % 4 === 0 ? '' : i % 10}`);
    const outside = ['101,0', '-101,', ',1', 'NaN,1'];
    const {
      golden,
      reference,
      baseline,
      excluded: leftOut,
      read,
      used,
      agreement,
    } = await made(await bundleOf('linear'), `a,b\n${[...rows, ...outside].join('\n')}\n`);
    expect({ read, used, left: leftOut.map(showExcluded) }).toEqual({
      read: 104,
      used: 100,
      left: [
        '2 rows: feature out of range (a)',
        '1 row: null in a required feature (a)',
        '1 row: feature is not a finite number (a)',
      ],
    });
    expect(baseline).toEqual({ a: -1, b: 3 });
    expect(reference.features.a).toHaveProperty('edges.length', 9);
    // The greatest scores are all 1 in float32.
    expect(reference.score?.shares).toHaveLength(9);
    // Five over the scores, the extremes of both columns, a null.
    expect(golden).toMatch(/^"a","b",expected_score\n/);
    expect(golden).toMatch(/^-50,,/m);
    expect(golden).toMatch(/^49,9,/m);
    expect(agreement.proof.alone).toBe(agreement.rows);
    expect(agreement.largest).toBe(0);
  });

  it('writes golden rows that verify finds to agree, empty texts and quotes included', async () => {
    const categories = (yaml: string) =>
      yaml.replace('categories: [free, pro], unknown: quarantine', 'nullable: true, default: none, unknown: allow');
    const bundle = await bundleOf('strings', categories);
    const rows = ['"",0', ',1', '"a ""b"", c",2', 'pro,3.0', '"  ",4', 'free,5'];
    const { golden, baseline, agreement } = await made(bundle, `plan,logins\n${rows.join('\n')}\n`, { goldenRows: 1 });
    expect(agreement.rows).toBe(6);
    expect(golden.split('\n').map((line) => line.replace(/,[^,]*$/, ''))).toEqual([
      '"plan","logins"',
      '"",0',
      ',1',
      '"a ""b"", c",2',
      'pro,3',
      '"  ",4',
      'free,5',
      '',
    ]);
    expect(baseline).toMatchObject({ logins: 2 });
    await writeFile(path.join(bundle.folder, 'golden.csv'), golden);
    expect(await verifyBundle(bundle, { providers: ['cpu'], requireGpu: false })).toMatchObject({ rows: 6, largest: 0 });
  });

  it('takes the scores of Python, and refuses those that the model does not give', async () => {
    const rows = (spoil: number) =>
      Array.from({ length: 50 }, (_, i) => `${i},${i},${i === 30 ? '' : sigmoid(0.25 * i) + (i === 40 ? spoil : 0)}`).join(
        '\n',
      );
    const bundle = await bundleOf('linear', (yaml) => yaml.replace('range: [-100, 100]', 'range: [0, 100]'));
    const { largest, used, excluded: leftOut, golden } = await made(bundle, `a,b,p\n${rows(0)}\n`, { expected: ['p'] });
    expect(largest).toBeGreaterThan(0);
    expect(largest).toBeLessThan(1e-6);
    expect({ used, left: leftOut.map(showExcluded) }).toEqual({ used: 49, left: ['1 row: null in p'] });
    expect(golden).toContain(`\n49,49,${sigmoid(0.25 * 49)}\n`);
    await expect(made(bundle, `a,b,p\n${rows(0.001)}\n`, { expected: ['p'] })).rejects.toMatchObject({
      kind: 'configuration',
      message: expect.stringContaining('does not reproduce the scores in p'),
      details: [expect.stringMatching(/^row 41 of \S+rows\.csv differs by 0\.001/)],
    });
  });

  it.each([
    ['lacks a feature', 'a,p\n1,1\n', 'rows.csv has no column b'],
    ['lacks the expected scores', 'a,b\n1,1\n', 'rows.csv has no column p'],
    ['has text where a number should be', 'a,b,p\n1,Jane Doe,1\n', 'has a value of the wrong type for the model'],
    ['has no rows that a run would score', 'a,b,p\n1000,1,1\n', 'has no rows that a run would score'],
    ['is no CSV', 'a,b,p\n1\n1,2,3,4,5\n"x\n', 'rows.csv'],
  ])('is refused where it %s, without what stands in it', async (_, text, message) => {
    const error = await made(await bundleOf('linear'), text, { expected: ['p'] }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ kind: 'configuration', message: expect.stringContaining(message), hint: expect.any(String) });
    expect(JSON.stringify(error)).not.toContain('Jane');
  });

  it('that has a fraction where the model takes whole numbers is refused', async () => {
    await expect(made(await bundleOf('strings'), 'plan,logins\nfree,1.5\n')).rejects.toMatchObject({ kind: 'configuration' });
  });
});

describe('the reference of a feature', () => {
  it('is of the raw values: nulls and NaN are a share of their own, and no default replaces them', () => {
    const cells = [null, Number.NaN, ...Array.from({ length: 38 }, (_, i) => i)];
    const reference = featureReference(cells, 'float32');
    expect(reference).toMatchObject({ nulls: 0.05 });
    expect(reference).toHaveProperty('edges.length', 9);
    expect(featureReference([1n, 2n, 2n, null], 'int64')).toEqual({
      edges: [1.5],
      shares: [0.333333333, 0.666666667],
      nulls: 0.25,
    });
    expect(featureReference([null, Number.NaN], 'float64')).toBeUndefined();
  });

  it('has the 50 most frequent categories, and adds the others up', () => {
    expect(featureReference(['b', 'a', 'b', '', null], 'string')).toEqual({
      categories: { b: 0.5, '': 0.25, a: 0.25 },
      nulls: 0.2,
    });
    expect(featureReference([true, false, true, true], 'bool')).toEqual({ categories: { true: 0.75, false: 0.25 } });
    const many = Array.from({ length: 60 }, (_, i) => [`c${i}`, `c${i}`]).flat();
    const long = 'x'.repeat(201);
    const reference = featureReference([...many, ...Array.from({ length: 30 }, () => long), '__proto__'], 'string');
    expect(reference).toMatchObject({ other: Number((51 / 151).toFixed(9)) });
    expect(Object.keys(reference && 'categories' in reference ? reference.categories : {})).toHaveLength(50);
    expect(featureReference([long], 'string')).toEqual({ categories: {}, other: 1 });
  });
});

it('a query of a DuckDB file gives the same, whatever the types of its columns', async () => {
  const bundle = await bundleOf('linear');
  const file = path.join(bundle.folder, 'rows.duckdb');
  const instance = await DuckDBInstance.create(file);
  const connection = await instance.connect();
  await connection.run(
    'create table t as select (i / 10)::float as a, case when i % 7 = 0 then null else (i / 4)::decimal(9, 2) end as b2 from range(1000) as r(i)',
  );
  connection.closeSync();
  instance.closeSync();
  const query = 'select * from t order by a';
  const fromQuery = await made(bundle, { query, file, renames: { b: 'b2' } });
  expect({ read: fromQuery.read, used: fromQuery.used }).toEqual({ read: 1000, used: 1000 });
  const text = Array.from({ length: 1000 }, (_, i) => `${i / 10},${i % 7 === 0 ? '' : (i / 4).toFixed(2)}\n`).join('');
  const fromCsv = await made(bundle, `a,b\n${text}`);
  expect(fromQuery.reference).toEqual(fromCsv.reference);
  expect(fromQuery.baseline).toEqual(fromCsv.baseline);
  expect(fromQuery.golden).toBe(fromCsv.golden);
  await expect(made(bundle, { query, file, renames: {} })).rejects.toMatchObject({
    message: 'the query does not provide what the model needs',
  });
  await expect(made(bundle, { query: 'selec 1', file, renames: {} })).rejects.toMatchObject({
    kind: 'configuration',
    message: 'DuckDB cannot read the query',
  });
});

it('a sample is even, and everything where it fits', () => {
  const sampler = createSampler(seededRandom(1), 1000);
  for (let i = 0; i < 100_000; i += 1) sampler.offer(() => [i], [i / 100_000], [i / 100_000]);
  const { rows, values, expected } = sampler.sample();
  const scores = values.map(([score = Number.NaN]) => score);
  expect([rows.length, scores.length, expected.length]).toEqual([1000, 1000, 1000]);
  for (const [i, row] of rows.entries()) expect(scores[i]).toBe(Number(row[0]) / 100_000);
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  expect(mean).toBeGreaterThan(0.45);
  expect(mean).toBeLessThan(0.55);
  const small = createSampler(() => 0, 1000);
  for (let i = 0; i < 10; i += 1) small.offer(() => [i], [0.5], undefined);
  expect(small.sample()).toMatchObject({ rows: Array.from({ length: 10 }, (_, i) => [i]), expected: [] });
});

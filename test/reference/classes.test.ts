import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { loadBundle } from '../../src/model/bundle.ts';
import { verifyBundle } from '../../src/model/verify.ts';
import { makeReference } from '../../src/reference/reference.ts';
import { repository, temporaryFolder } from '../support/project.ts';

/** A copy of the iris bundle, and the flowers of its golden rows with the probabilities that Python gave them. */
async function iris() {
  const folder = await temporaryFolder();
  await cp(repository('models/iris'), folder, { recursive: true });
  const golden = await readFile(path.join(folder, 'golden.csv'), 'utf8');
  const make = async (rows: string, expected: readonly string[], goldenRows = 9) => {
    await writeFile(path.join(folder, 'rows.csv'), rows);
    return await makeReference(await loadBundle(folder), {
      ...{ source: { csv: path.join(folder, 'rows.csv') }, expected, goldenRows },
      signal: new AbortController().signal,
    });
  };
  return { folder, golden, make };
}

const EXPECTED = ['expected_setosa', 'expected_versicolor', 'expected_virginica'];

it('gives golden rows the expected value of every class, and the bundle no reference of a score', async () => {
  const { folder, golden, make } = await iris();
  const made = await make(golden, EXPECTED);
  expect(made.reference.score).toBeUndefined();
  expect(Object.keys(made.reference.classes ?? {})).toEqual(['setosa', 'versicolor', 'virginica']);
  // A third of the flowers are surely setosa, two thirds surely not.
  const { edges = [], shares = [] } = made.reference.classes?.setosa ?? {};
  const sure = shares.filter((_, bin) => (edges[bin - 1] ?? 0) > 0.5).reduce((sum, share) => sum + share, 0);
  expect(sure).toBeGreaterThan(0.2);
  expect(sure).toBeLessThan(0.4);
  expect(Object.keys(made.reference.features)).toEqual(['sepal_length', 'sepal_width', 'petal_length', 'petal_width']);
  expect(made.largest).toBeGreaterThan(0);
  expect(made.largest).toBeLessThan(1e-6);
  const [header, ...rows] = made.golden.trim().split('\n');
  expect(header).toBe(`"sepal_length","sepal_width","petal_length","petal_width",${EXPECTED.join(',')}`);
  // The rows and the numbers of Python, spread over all classes.
  const known = new Set(
    golden
      .trim()
      .split('\n')
      .map((line) => line.split(',').map(Number).join()),
  );
  for (const row of rows) expect(known).toContain(row.split(',').map(Number).join());
  const classes = rows.map((row) => row.split(',').slice(4).map(Number)).map((values) => values.indexOf(Math.max(...values)));
  expect(new Set(classes)).toEqual(new Set([0, 1, 2]));
  await writeFile(path.join(folder, 'golden.csv'), made.golden);
  expect(await verifyBundle(await loadBundle(folder), { providers: ['cpu'], requireGpu: false })).toMatchObject({
    rows: rows.length,
  });
});

it('takes the model itself without expected values', async () => {
  const { golden, make } = await iris();
  const made = await make(golden.replaceAll(/expected_/g, 'other_'), []);
  expect(made.largest).toBeUndefined();
  const sums = made.golden
    .trim()
    .split('\n')
    .slice(1)
    .map((row) =>
      row
        .split(',')
        .slice(4)
        .reduce((sum, cell) => sum + Number(cell), 0),
    );
  for (const sum of sums) expect(sum).toBeCloseTo(1, 6);
});

it('refuses expected values of another class, and leaves out rows without one', async () => {
  const { golden, make } = await iris();
  await expect(make(golden, EXPECTED.toReversed())).rejects.toMatchObject({
    kind: 'configuration',
    message: expect.stringMatching(/does not reproduce the scores in expected_virginica$/),
  });
  const made = await make(golden.replace(/,[^,\n]+\n$/, ',\n'), EXPECTED);
  expect(made.excluded).toEqual([{ reason: 'null in expected_virginica', feature: undefined, rows: 1 }]);
});

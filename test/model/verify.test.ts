import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { loadBundle } from '../../src/model/bundle.ts';
import { verifyBundle } from '../../src/model/verify.ts';
import { presentError } from '../../src/terminal/error.ts';
import { repository, temporaryFolder } from '../support/project.ts';

const CPU = { providers: ['cpu'], requireGpu: false };

/** The outcome for a fixture whose golden rows were replaced, and its description edited; paths are cut. */
async function verified(model: string, golden: string, edit = (yaml: string) => yaml): Promise<string> {
  const folder = await temporaryFolder();
  await cp(repository('test', 'fixtures', model), folder, { recursive: true });
  const yaml = path.join(folder, 'model.yaml');
  await writeFile(yaml, edit(await readFile(yaml, 'utf8')));
  await writeFile(path.join(folder, 'golden.csv'), golden);
  return await verifyBundle(await loadBundle(folder), CPU).then(
    ({ rows }) => `${rows} rows agree`,
    (error) => {
      const { text, exitCode } = presentError(error);
      return `${text.replaceAll(folder, 'BUNDLE')}\nexit code ${exitCode}`;
    },
  );
}

it.each([
  ['models/churn', 1e-6],
  ['models/iris', 1e-6],
  ['test/fixtures/tips', 1e-6],
  ['test/fixtures/models/linear', 1e-6],
  ['test/fixtures/models/strings', 1e-6],
])('%s gives its golden scores', async (folder, tolerance) => {
  const golden = await readFile(repository(folder, 'golden.csv'), 'utf8');
  const { execution, rows, largest } = await verifyBundle(await loadBundle(repository(folder)), CPU);
  expect([execution.provider, rows]).toEqual(['cpu', golden.trim().split('\n').length - 1]);
  expect(largest).toBeLessThan(tolerance);
});

it('a score that differs by more than the tolerance is refused with its row', async () => {
  expect(await verified('models/linear', 'a,b,expected_score\n0,0,0.5\n1,0,0.622461\n4,,0.880797\n')).toMatchInlineSnapshot(`
    "error: BUNDLE/model.onnx does not reproduce the golden scores: row 2 of BUNDLE/golden.csv differs by 0.000001707588195842824
    hint: the tolerance is 0.000001; check that the golden rows were made with this model
    exit code 78"
  `);
  expect(await verified('models/linear', 'a,b,expected_score\n0,0,0.5\n1,0,0.622460\n4,,0.880797\n')).toBe('3 rows agree');
});

it('an expected score that is not a number agrees with nothing, wherever it stands', async () => {
  for (const expected of ['unknown', 'NaN', '']) {
    const rows = [`0,0,${expected}`, '0,0,0.5', '0,0,0.5'];
    for (const order of [rows, rows.toReversed(), [rows[1], rows[0], rows[2]]]) {
      expect(await verified('models/linear', `a,b,expected_score\n${order.join('\n')}\n`)).toContain('exit code 78');
    }
  }
});

it('a model that gives no number for a golden row does not pass', async () => {
  // log(-1) is not a number; the rows around it are right.
  expect(await verified('models/nan', 'a,b,expected_score\n1,0,0.5\n-1,0,0.5\n1,0,0.5\n1,0,0.5\n')).toContain('exit code 78');
});

it('golden rows that a run would quarantine, or that cannot be read, are refused', async () => {
  const outcomes = [
    await verified('models/linear', 'a,b,expected_score\n0,0,0.5\n101,0,1\n'),
    await verified('models/strings', 'plan,logins,expected_score\nfree,0,0.5\nbasic,0,0.5\n'),
    await verified('models/linear', 'a,expected_score\n0,0.5\n'),
    await verified('models/linear', 'a,b,expected_score\n'),
    await verified('models/linear', 'a,b,expected_score\n0,0\n'),
  ];
  expect(outcomes.join('\n\n')).toMatchInlineSnapshot(`
    "error: row 2 of BUNDLE/golden.csv would be quarantined: feature out of range
    hint: check a: either the row or the rule in model.yaml is wrong
    exit code 78

    error: row 2 of BUNDLE/golden.csv would be quarantined: unknown category
    hint: check plan: either the row or the rule in model.yaml is wrong
    exit code 78

    error: BUNDLE/golden.csv has no column b
    hint: a golden file needs a column for every feature, and expected_score
    exit code 78

    error: BUNDLE/golden.csv has no rows
    hint: a golden file needs a column for every feature, and expected_score
    exit code 78

    error: the golden rows BUNDLE/golden.csv cannot be read (CSV_RECORD_INCONSISTENT_FIELDS_LENGTH)
    hint: a bundle has a golden.csv with inputs and expected scores
    exit code 78"
  `);
});

it('a whole number may be written with a point, as pandas does; one that is none is not a bug of ours', async () => {
  expect(await verified('models/strings', 'plan,logins,expected_score\nfree,3.0,0.4073334\n')).toBe('1 rows agree');
  expect(await verified('models/strings', 'plan,logins,expected_score\nfree,many,0.5\n')).toContain('exit code 78');
});

it('an empty cell is a null, and a quoted one an empty text; of a number both are a null', async () => {
  const edit = (yaml: string) => yaml.replace('[free, pro]', '[free, pro, ""]');
  expect(await verified('models/strings', 'plan,logins,expected_score\n"",0,0.5\n"pro","0",0.2689414\n', edit)).toBe(
    '2 rows agree',
  );
  expect(await verified('models/strings', 'plan,logins,expected_score\n,0,0.5\n', edit)).toContain(
    'row 1 of BUNDLE/golden.csv would be quarantined: null in a required feature',
  );
  expect(await verified('models/strings', 'plan,logins,expected_score\n"",0,0.5\n')).toContain('unknown category');
  expect(await verified('models/linear', 'a,b,expected_score\n4,,0.880797\n4,"",0.880797\n')).toBe('2 rows agree');
});

it('a golden row without an expected score is not one of score 0', async () => {
  expect(await verified('models/out-of-range', 'a,b,expected_score\n0,0,\n')).toContain('exit code 78');
});

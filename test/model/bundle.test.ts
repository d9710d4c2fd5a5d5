import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Bundle, loadBundle } from '../../src/model/bundle.ts';
import { presentError } from '../../src/terminal/error.ts';
import { repository, temporaryFolder } from '../support/project.ts';

const LINEAR = repository('test', 'fixtures', 'models', 'linear');

async function refused(folder: string): Promise<string> {
  return await loadBundle(folder).then(
    () => 'not refused',
    (error) => {
      const { text, exitCode } = presentError(error);
      return `${text.replaceAll(folder, 'BUNDLE')}\nexit code ${exitCode}`;
    },
  );
}

/** A copy of the linear bundle whose model.yaml was changed. */
async function edited(edit: (yaml: string) => string): Promise<string> {
  const folder = await temporaryFolder();
  await cp(LINEAR, folder, { recursive: true });
  const file = path.join(folder, 'model.yaml');
  await writeFile(file, edit(await readFile(file, 'utf8')));
  return folder;
}

/** The problems of model.yaml with these inputs instead of its own, without their place in the file. */
async function problems(...inputs: string[]): Promise<string[]> {
  const folder = await edited((yaml) =>
    yaml
      .replace(/inputs:[\s\S]*?(?=output:)/, () => `inputs:\n${inputs.map((input) => `  - ${input}\n`).join('')}`)
      .replace(/reference:[\s\S]*?(?=baseline:)/, ''),
  );
  const lines = (await refused(folder)).split('\n').slice(1, -2);
  return lines.map((line) => line.replace(/^ *BUNDLE\/model.yaml:\d+:\d+: inputs\./, ''));
}

it('reads signature and digests', async () => {
  const bundle: Bundle = await loadBundle(await edited((yaml) => yaml.replace('version: "1"', 'version: "1.10"')));
  expect(bundle.definition.version).toBe('1.10');
  expect(bundle.signature).toEqual({
    inputs: [
      {
        name: 'features',
        dtype: 'float32',
        features: [
          { name: 'a', nullable: false, range: [-100, 100], unknown: 'quarantine' },
          { name: 'b', nullable: true, default: 0, unknown: 'quarantine' },
        ],
      },
    ],
    output: { name: 'score', index: 0 },
  });
  const original = await loadBundle(LINEAR);
  expect(bundle.digest).toBe(original.digest);
  expect(bundle.definitionDigest).not.toBe(original.definitionDigest);
});

it.each(['models/churn', 'test/fixtures/tips', 'test/fixtures/models/strings'])('%s is in order', async (folder) => {
  expect(await refused(repository(folder))).toBe('not refused');
});

it('a model that is not the one described is refused with both digests', async () => {
  expect(await refused(repository('test', 'fixtures', 'models', 'digest'))).toMatchInlineSnapshot(`
    "error: the digest of BUNDLE/model.onnx does not match model.yaml
      model.yaml: 100ef6a71bac925f709fe9c114c60460bf6e472cfdb9d44bd8adf1698135260f
      model.onnx: e147a59d862d193f24e0dce9501e081c8ed3a0f3f34e1e892ec39a6fed0ff165
    hint: if you changed the model on purpose, set the new digest and a new version in model.yaml
    exit code 78"
  `);
});

it('a bundle that lacks a file is refused with what a bundle is', async () => {
  const folder = await edited((yaml) => yaml);
  await rm(path.join(folder, 'model.onnx'));
  const withoutModel = await refused(folder);
  await rm(path.join(folder, 'model.yaml'));
  expect([withoutModel, await refused(folder)].join('\n\n')).toMatchInlineSnapshot(`
    "error: BUNDLE/model.onnx does not exist
    hint: a model bundle is a folder with model.onnx, model.yaml and golden.csv; this folder is BUNDLE
    exit code 78

    error: BUNDLE/model.yaml does not exist
    hint: a model bundle is a folder with model.onnx, model.yaml and golden.csv; this folder is BUNDLE
    exit code 78"
  `);
});

it('every problem of model.yaml is shown at once, each where it is', async () => {
  const folder = await temporaryFolder();
  await writeFile(
    path.join(folder, 'model.yaml'),
    `name: churn
version: [1]
sha256: ABC
descriptoin: a typing error
inputs:
  - name: features
    dtype: float16
    shape: [32, 2]
    columns:
      - { name: a, range: [10, 0], nulable: true }
      - { name: b, unknown: ignore, categories: [] }
output: { name: probabilities, index: -1 }
reference:
  score: { edges: [0.5, 0.5], shares: [0.5, 0.5] }
  features: { a: { edges: [1, 0], shares: [0.2, 0.2, 0.6] }, b: { edges: [0], shares: [0.2, 0.2] } }
golden: { tolerance: 0 }
`,
  );
  expect(await refused(folder)).toMatchInlineSnapshot(`
    "error: the model description BUNDLE/model.yaml has 15 problems
      BUNDLE/model.yaml:2:10: version: write the version in quotes: "1.10"
      BUNDLE/model.yaml:3:9: sha256: the SHA-256 of model.onnx in lower-case hex
      BUNDLE/model.yaml:4:1: unknown key descriptoin; did you mean description?
      BUNDLE/model.yaml:7:12: inputs.0.dtype: expected one of float32, float64, int64, bool, string
      BUNDLE/model.yaml:8:13: inputs.0.shape.0: expected one of N
      BUNDLE/model.yaml:10:27: inputs.0.columns.0.range: the range ends below its start
      BUNDLE/model.yaml:10:36: inputs.0.columns.0: unknown key nulable; did you mean nullable?
      BUNDLE/model.yaml:11:29: inputs.0.columns.1.unknown: expected one of quarantine, allow, default
      BUNDLE/model.yaml:11:49: inputs.0.columns.1.categories: name at least one category
      BUNDLE/model.yaml:12:39: output.index: must be at least 0
      BUNDLE/model.yaml:14:10: reference.score: a histogram needs one more share than edges
      BUNDLE/model.yaml:14:10: reference.score: edges must be strictly increasing
      BUNDLE/model.yaml:15:18: reference.features.a: edges must be strictly increasing
      BUNDLE/model.yaml:15:65: reference.features.b: shares must add up to 1
      BUNDLE/model.yaml:16:22: golden.tolerance: must be more than 0
    hint: \`score-batch model inspect BUNDLE/model.onnx\` prints columns and categories; docs/model-bundle.md explains model.yaml
    exit code 78"
  `);
});

describe('the reference of a feature', () => {
  const INPUTS = `inputs:
  - { name: x, dtype: float32, shape: [N, 1], columns: [{ name: a }] }
  - { name: y, dtype: string, shape: [N, 1], columns: [{ name: plan, unknown: allow }] }
  - { name: z, dtype: bool, shape: [N, 1], columns: [{ name: flag }] }
`;
  const withReference = (features: string): Promise<string> =>
    edited((yaml) =>
      yaml
        .replace(/inputs:[\s\S]*?(?=output:)/, () => INPUTS)
        .replace(/reference:[\s\S]*?(?=baseline:)/, () => `reference: { features: { ${features} } }\n`),
    );

  it('is a histogram or shares of categories, with shares of nulls and of other categories that are 0 by default', async () => {
    const folder = await withReference(
      `a: { edges: [1], shares: [0.5, 0.5] }, plan: { categories: { "it's 😀": 0.5, "": 0.25 }, other: 0.25, nulls: 0.1 }, flag: { categories: { true: 1 } }`,
    );
    expect((await loadBundle(folder)).definition.reference?.features).toEqual({
      a: { edges: [1], shares: [0.5, 0.5], nulls: 0 },
      plan: { categories: { "it's 😀": 0.5, '': 0.25 }, other: 0.25, nulls: 0.1 },
      flag: { categories: { true: 1 }, other: 0, nulls: 0 },
    });
  });

  const many = Array.from({ length: 501 }, (_, i) => `c${i}: 0.001`).join(', ');
  it.each([
    ['a: { nulls: 0.5 }', 'a: write edges and shares for a number, categories for a string'],
    ['a: { edges: [1], shares: [1] }', 'a: a histogram needs one more share than edges'],
    ['a: { edges: [1], shares: [0.5, 0.5], other: 0.1 }', 'a: other is for categories'],
    ['a: { edges: [1], shares: [0.5, 0.5], nulls: 5 }', 'a.nulls: must be at most 1'],
    ['a: { categories: { x: 1 } }', 'a: a float32 has no categories; write edges and shares'],
    ['plan: { edges: [], shares: [1] }', 'plan: a string has no histogram; write categories'],
    ['plan: { categories: { x: 1 }, edges: [] }', 'plan: write either categories, or edges and shares'],
    ['plan: { categories: { x: 0.5 } }', 'plan: the shares of categories and other must add up to 1'],
    [
      `plan: { categories: { ${many} } }`,
      'plan: at most 500 categories, with 100000 characters in all; add the rest up as other',
    ],
    ['flag: { categories: { yes: 1 } }', 'flag: the categories of a bool are true and false'],
  ])('is refused: %.60s', async (features, message) => {
    expect(await refused(await withReference(features))).toContain(`reference.features.${message}\n`);
  });
});

describe('rules that contradict each other', () => {
  it('widths, repeated columns and references to columns that are not there', async () => {
    expect(
      await problems(
        '{ name: x, dtype: float32, shape: [N, 3], columns: [{ name: a }, { name: b }] }',
        '{ name: y, dtype: float32, shape: [N, 1], columns: [{ name: a }] }',
      ),
    ).toEqual(['0.shape: x is 3 wide but has 2 columns', '1.columns.0: the column a feeds two inputs']);
    const folder = await edited((yaml) => yaml.replace('features: { a:', 'features: { amuont:'));
    expect(await refused(folder)).toContain('reference.features.amuont: no input has this column');
  });

  it.each([
    ['int64', '{ name: a, nullable: true }', 'nullable int64 needs a default: only a float can be NaN'],
    ['string', '{ name: a, nullable: true, categories: [x] }', 'nullable string needs a default: only a float can be NaN'],
    ['bool', '{ name: a, nullable: true }', 'nullable bool needs a default: only a float can be NaN'],
    ['int64', '{ name: a, nullable: true, default: 0.5 }', 'the default 0.5 is not a valid int64'],
    ['float32', '{ name: a, nullable: true, default: none }', 'the default none is not a valid float32'],
    ['bool', '{ name: a, nullable: true, default: 1 }', 'the default 1 is not a valid bool'],
    ['string', '{ name: a, nullable: true, default: 1, categories: [x] }', 'the default 1 is not a valid string'],
    ['float64', '{ name: a, default: 0 }', 'a default without nullable: true is never used'],
    ['bool', '{ name: a, range: [0, 1] }', 'a bool has no range'],
    ['string', '{ name: a, range: [0, 1], unknown: allow }', 'a string has no range'],
    ['int64', '{ name: a, categories: [x] }', 'categories are for strings'],
    ['string', '{ name: a, categories: [x], unknown: default }', 'unknown: default needs a default'],
    ['string', '{ name: a }', 'a text feature needs categories, or unknown: allow if the model takes any text'],
    [
      'string',
      '{ name: a, default: x, unknown: default }',
      'a text feature needs categories, or unknown: allow if the model takes any text',
    ],
    ['int64', '{ name: a, unknown: allow }', 'unknown is for strings'],
  ])('%s %s', async (dtype, column, problem) => {
    expect(await problems(`{ name: x, dtype: ${dtype}, shape: [N, 1], columns: [${column}] }`)).toEqual([
      `0.columns.0: a: ${problem}`,
    ]);
  });

  it.each([
    ['float32', '{ name: a, nullable: true }'],
    ['float64', '{ name: a, nullable: true, default: -1, range: [0, 1] }'],
    ['int64', '{ name: a, nullable: true, default: 0 }'],
    ['bool', '{ name: a, nullable: true, default: false }'],
    ['string', '{ name: a, nullable: true, default: other, categories: [x], unknown: default }'],
    ['string', '{ name: a, default: other, categories: [x], unknown: default }'],
    ['string', '{ name: a, categories: [x, ""], unknown: allow }'],
    ['string', '{ name: a, unknown: allow }'],
  ])('%s %s agrees with itself', async (dtype, column) => {
    expect(await problems(`{ name: x, dtype: ${dtype}, shape: [N, 1], columns: [${column}] }`)).toEqual([]);
  });
});

import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadBundle } from '../../src/model/bundle.ts';
import { verifyBundle } from '../../src/model/verify.ts';
import { presentError } from '../../src/terminal/error.ts';
import { repository, temporaryFolder } from '../support/project.ts';

const CPU = { providers: ['cpu'], requireGpu: false };

interface Change {
  readonly output?: string;
  readonly yaml?: (text: string) => string;
  readonly golden?: (text: string) => string;
}

/** What verifying a copy of a fixture says after a change; paths are cut. */
async function verified(
  name: string,
  { output, yaml = (text) => text, golden = (text) => text }: Change = {},
): Promise<string> {
  const folder = await temporaryFolder();
  await cp(repository('test/fixtures/classes', name), folder, { recursive: true });
  const edit = async (file: string, change: (text: string) => string) =>
    await writeFile(path.join(folder, file), change(await readFile(path.join(folder, file), 'utf8')));
  await edit('model.yaml', (text) => yaml(output === undefined ? text : text.replace(/^output: .*$/m, `output: ${output}`)));
  await edit('golden.csv', golden);
  try {
    const { rows } = await verifyBundle(await loadBundle(folder), CPU);
    return `${rows} rows agree`;
  } catch (error) {
    const { text, exitCode } = presentError(error);
    return `${text.replaceAll(folder, 'BUNDLE')}\nexit code ${exitCode}`;
  }
}

/** The problems that `output` of model.yaml has. */
async function problems(output: string): Promise<string[]> {
  const lines = (await verified('line', { output })).split('\n');
  expect(lines.at(-1)).toBe('exit code 78');
  return lines.slice(1, -2).map((line) => line.replace(/^ *BUNDLE\/model.yaml:/, ''));
}

it('all fixtures give the probabilities of scikit-learn', async () => {
  const names = await readdir(repository('test/fixtures/classes'));
  expect(names.length).toBeGreaterThan(8);
  for (const name of names) expect([name, await verified(name)]).toEqual([name, '15 rows agree']);
});

describe('output in model.yaml', () => {
  it('is of a score or of classes', async () => {
    expect(await problems('{ name: probabilities, probabilities: probabilities, labels: [a, b, c] }')).toMatchInlineSnapshot(`
      [
        "10:17: output.name: write either name and index, for a bundle with one score, or the other keys, for one with classes",
      ]
    `);
    expect(await problems('{ index: 1, labels: [a, b] }')).toMatchInlineSnapshot(`
      [
        "10:18: output.index: write either name and index, for a bundle with one score, or the other keys, for one with classes",
      ]
    `);
    expect(await problems('{}')).toMatchInlineSnapshot(`
      [
        "10:9: output: write name and index of the score, or probabilities and labels of a model that predicts a class",
      ]
    `);
    expect(await problems('{ index: 1 }')).toMatchInlineSnapshot(`
      [
        "10:9: output: missing: name, the output with the score",
      ]
    `);
    expect(await problems('probabilities')).toMatchInlineSnapshot(`
      [
        "10:9: output: expected a map",
      ]
    `);
  });

  it('has what classes need, and nothing else', async () => {
    expect(await problems('{ label: label }')).toMatchInlineSnapshot(`
      [
        "10:9: output: missing: probabilities, the output with a column per class",
        "10:9: output: missing: labels, the names of the classes in the order of the probabilities",
      ]
    `);
    expect(await problems('{ probability: probabilities, labels: [a, b, c] }')).toMatchInlineSnapshot(`
      [
        "10:9: output: missing: probabilities, the output with a column per class",
        "10:11: output: unknown key probability; did you mean probabilities?",
      ]
    `);
    expect(await problems('{ label: probabilities, probabilities: probabilities, labels: [a, b, c] }')).toMatchInlineSnapshot(`
      [
        "10:18: output.label: the label and the probabilities must be two outputs",
      ]
    `);
    expect(await problems('{ label: 1, probabilities: [p], labels: setosa }')).toMatchInlineSnapshot(`
      [
        "10:18: output.label: expected text",
        "10:36: output.probabilities: expected text",
        "10:49: output.labels: expected a list",
      ]
    `);
  });

  it('has names that can be columns', async () => {
    const labels = async (list: string) => await problems(`{ probabilities: probabilities, labels: ${list} }`);
    expect(await labels('[only]')).toMatchInlineSnapshot(`
      [
        "10:49: output.labels: name at least two classes",
      ]
    `);
    expect(await labels('[0, true, ~, "", " ", "a\\nb", __proto__]')).toMatchInlineSnapshot(`
      [
        "10:50: output.labels.0: write the name of the class in quotes: "0"",
        "10:53: output.labels.1: write the name of the class in quotes: "0"",
        "10:59: output.labels.2: write the name of the class in quotes: "0"",
        "10:62: output.labels.3: write the name of the class in quotes: "0"",
        "10:66: output.labels.4: the name of a class must not be only spaces",
        "10:71: output.labels.5: must not contain control characters",
        "10:79: output.labels.6: __proto__ is not a valid name: choose another one",
      ]
    `);
    expect(await labels('[setosa, versicolor, Setosa, versicolor]')).toMatchInlineSnapshot(`
      [
        "10:70: output.labels.2: setosa and Setosa differ only in case, so databases would treat them as one column",
        "10:78: output.labels.3: the class versicolor is named twice",
      ]
    `);
  });

  it('leaves no feature with the name of an expected value', async () => {
    const renamed = (text: string) => text.replace('name: c3', 'name: expected_setosa');
    expect(await verified('line', { yaml: renamed })).toMatchInlineSnapshot(`
      "error: the model description BUNDLE/model.yaml has a problem
        BUNDLE/model.yaml:9:57: inputs.0.columns.3: expected_setosa is the name of an expected value in golden.csv: rename the feature
      hint: \`score-batch model inspect BUNDLE/model.onnx\` prints columns and categories; docs/model-bundle.md explains model.yaml
      exit code 78"
    `);
  });
});

it('reference has a histogram per class instead of one score', async () => {
  const yaml = (text: string) => `${text}reference: { score: { edges: [0.5], shares: [0.5, 0.5] } }\n`;
  expect(await verified('line', { yaml })).toContain(
    'reference.score: score does not say which class it is about; write classes instead, with a histogram per label',
  );
  const classes = (text: string) => `${text}reference: { classes: { setosa: { edges: [0.5], shares: [0.5, 0.5] } } }\n`;
  expect(await verified('line', { yaml: classes })).toBe('15 rows agree');
  expect(await verified('two', { yaml: classes })).toContain('reference.classes.setosa: output has no label setosa');
});

describe('the classes of the graph', () => {
  it('are the labels, in order', async () => {
    const swapped = '{ label: label, probabilities: probabilities, labels: [versicolor, setosa, virginica] }';
    expect(await verified('line', { output: swapped })).toMatchInlineSnapshot(`
      "error: the labels in model.yaml are not the classes of BUNDLE/model.onnx
        model.yaml: versicolor, setosa, virginica
        model.onnx: setosa, versicolor, virginica
      hint: write labels in the order of the file: the first one names the first probability
      exit code 78"
    `);
    for (const name of ['forest', 'stack', 'one-against-rest', 'network', 'calibrated'])
      expect(await verified(name, { output: swapped })).toContain('model.onnx: setosa, versicolor, virginica');
    const without = swapped.replace('label: label, ', '');
    expect(await verified('forest-pruned', { output: without })).toContain('are not the classes of');
    expect(await verified('network', { output: without })).toContain('are not the classes of');
  });

  it('are numbers for some models, which are texts in model.yaml', async () => {
    const named = '{ label: label, probabilities: probabilities, labels: [low, middle, high] }';
    expect(await verified('integers', { output: named })).toMatchInlineSnapshot(`
      "error: the labels in model.yaml are not the classes of BUNDLE/model.onnx
        model.yaml: low, middle, high
        model.onnx: -10, 0, 10
      hint: write labels as the file has them, in its order; if it has numbers, train with the names of the classes
      exit code 78"
    `);
    expect(await verified('forest-integers', { output: named })).toContain('model.onnx: -10, 0, 10');
  });

  it('are unknown for a network without its label; then golden rows find another order', async () => {
    const output = '{ probabilities: probabilities, labels: [versicolor, setosa, virginica] }';
    expect(await verified('network-pruned', { output })).toMatchInlineSnapshot(`
      "error: BUNDLE/model.onnx does not reproduce the golden scores: versicolor of row 14 of BUNDLE/golden.csv differs by 0.5255953446968422
      hint: the tolerance is 0.00001; check that the golden rows were made with this model
      exit code 78"
    `);
    const golden = (text: string) => text.replaceAll('setosa', 'one').replaceAll('versicolor', 'two');
    expect(
      await verified('network-pruned', { output: '{ probabilities: probabilities, labels: [one, two, virginica] }', golden }),
    ).toBe('15 rows agree');
  });
});

it('a label output gives labels of the bundle', async () => {
  const output = '{ label: label, probabilities: probabilities, labels: [setosa, versicolor, virginica] }';
  const golden = (text: string) => text.replace(/expected_0.*/, 'expected_setosa,expected_versicolor,expected_virginica');
  expect(await verified('network-positions', { output, golden })).toMatchInlineSnapshot(`
    "error: BUNDLE/model.onnx gives row 1 of BUNDLE/golden.csv the label 0
      the labels in model.yaml are setosa, versicolor, virginica
    hint: name the classes under output.labels in model.yaml as the output has them, or leave out output.label
    exit code 78"
  `);
  expect(await verified('network-positions', { output: output.replace('label: label, ', ''), golden })).toBe('15 rows agree');
});

describe('the outputs of the file', () => {
  it('exist and have the right form', async () => {
    const of = async (output: string) => await verified('two', { output });
    expect(await of('{ label: species, probabilities: scores, labels: ["no", "yes"] }')).toMatchInlineSnapshot(`
      "error: model.yaml does not describe BUNDLE/model.onnx
        the model has no output species; it has label, probabilities
        the model has no output scores; it has label, probabilities
      hint: \`score-batch model inspect BUNDLE\` prints what the file declares
      exit code 78"
    `);
    expect(await of('{ label: probabilities, probabilities: label, labels: ["no", "yes"] }')).toMatchInlineSnapshot(`
      "error: model.yaml does not describe BUNDLE/model.onnx
        the output probabilities is float32: a label is string or int64; name the probabilities under probabilities
        the output label is string: probabilities are float32 or float64; is it the label?
      hint: \`score-batch model inspect BUNDLE\` prints what the file declares
      exit code 78"
    `);
    expect(
      await verified('network-pruned', { output: '{ probabilities: probabilities, labels: [setosa, versicolor] }' }),
    ).toMatchInlineSnapshot(`
      "error: model.yaml does not describe BUNDLE/model.onnx
        the output probabilities is float32[?, 3], but model.yaml has 2 labels: setosa, versicolor
      hint: \`score-batch model inspect BUNDLE\` prints what the file declares
      exit code 78"
    `);
  });
});

describe('golden rows', () => {
  it('have the expected probability of every class', async () => {
    const golden = (text: string) => text.replaceAll('expected_versicolor', 'expected_other');
    expect(await verified('line', { golden })).toMatchInlineSnapshot(`
      "error: BUNDLE/golden.csv has no column expected_versicolor
      hint: a golden file needs a column for every feature, and expected_setosa, expected_versicolor, expected_virginica
      exit code 78"
    `);
  });

  it('are compared in all classes', async () => {
    for (const place of [4, 5, 6]) {
      const golden = (text: string) => {
        const lines = text.split('\n');
        const cells = lines[3]?.split(',') ?? [];
        lines[3] = cells.with(place, String(Number(cells[place]) + 0.001)).join(',');
        return lines.join('\n');
      };
      const label = ['setosa', 'versicolor', 'virginica'][place - 4];
      expect(await verified('line', { golden })).toContain(
        `golden scores: ${label} of row 3 of BUNDLE/golden.csv differs by 0.00`,
      );
    }
    const empty = (text: string) => text.replace(/,[^,\n]*\n$/, ',\n');
    expect(await verified('line', { golden: empty })).toContain('virginica of row 15 of BUNDLE/golden.csv differs by Infinity');
  });
});

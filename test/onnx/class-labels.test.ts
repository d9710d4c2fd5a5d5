import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { classLabels } from '../../src/onnx/class-labels.ts';
import { type OnnxModel, parseModel } from '../../src/onnx/model.ts';
import { seededRandom } from '../../src/random.ts';
import { repository } from '../support/project.ts';

const SPECIES = ['setosa', 'versicolor', 'virginica'];
const NUMBERS = ['-10', '0', '10'];

async function model(folder: string): Promise<OnnxModel> {
  return parseModel(await readFile(repository('test/fixtures/classes', folder, 'model.onnx')));
}

it.each<[name: string, names: readonly string[]]>([
  ['line', SPECIES],
  ['integers', NUMBERS],
  ['two', ['no', 'yes']],
  ['forest', SPECIES],
  ['forest-integers', NUMBERS],
  ['forest-pruned', SPECIES],
  // Their classifiers number the classes; the label is picked from constants.
  ['stack', SPECIES],
  ['one-against-rest', SPECIES],
  ['bag', NUMBERS],
  ['network', SPECIES],
])('%s names its classes, whether the label output is named or not', async (name, names) => {
  const parsed = await model(name);
  const given = { probabilities: 'probabilities', classes: names.length };
  expect(classLabels(parsed, { ...given, label: undefined })).toEqual([names]);
  if (name !== 'forest-pruned') expect(classLabels(parsed, { ...given, label: 'label' })).toEqual([names]);
});

it('a network without its label names none', async () => {
  const parsed = await model('network-pruned');
  expect(classLabels(parsed, { label: undefined, probabilities: 'probabilities', classes: 3 })).toEqual([]);
});

it('damaged files are refused as no models, or read', async () => {
  const bytes = await readFile(repository('test/fixtures/classes/stack/model.onnx'));
  const random = seededRandom(17);
  let refused = 0;
  for (let i = 0; i < 2000; i += 1) {
    const damaged = Buffer.from(bytes);
    damaged[Math.floor(random() * damaged.length)] = Math.floor(random() * 256);
    try {
      classLabels(parseModel(damaged), { label: 'label', probabilities: 'probabilities', classes: 3 });
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError);
      refused += 1;
    }
  }
  expect(refused).toBeGreaterThan(100);
});

it('the classifiers inside an ensemble count only if they have names', async () => {
  const outputs = { label: undefined, probabilities: 'probabilities', classes: 3 };
  const withoutLabel = async (name: string) => {
    const parsed = await model(name);
    const [only] = parsed.graph.outputs.filter((output) => output.name === 'probabilities');
    return { ...parsed, graph: { ...parsed.graph, outputs: only === undefined ? [] : [only] } };
  };
  // A member of a bag knows 0, 1, 2, and a member of one against the rest two classes.
  expect(classLabels(await withoutLabel('bag'), outputs)).toEqual([]);
  expect(classLabels(await withoutLabel('one-against-rest'), outputs)).toEqual([]);
  expect(classLabels(await withoutLabel('calibrated'), outputs)).toEqual([SPECIES, SPECIES]);
});

import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { repository, temporaryFolder } from '../support/project.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { transcript } from '../support/transcript.ts';

const CLASSES = repository('test/fixtures/classes');

/** A folder with a copy of a bundle in `model`. */
async function withBundle(from: string): Promise<string> {
  const folder = await temporaryFolder();
  await cp(from, path.join(folder, 'model'), { recursive: true });
  return folder;
}

async function replaceIn(file: string, from: string | RegExp, to: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  expect(text).toMatch(from);
  await writeFile(file, text.replace(from, to));
}

it('inspect shows which output is what, and verify compares all classes', async () => {
  const inspected = await scoreBatch(repository(), ['model', 'inspect', 'models/iris', '--providers', 'cpu']);
  expect(inspected.stdout.split('\n').filter((line) => line.startsWith('output'))).toEqual([
    'output    label string[?], the class',
    'output    probabilities float32[?, 3], probabilities of setosa, versicolor, virginica',
  ]);
  const json = await scoreBatch(repository(), ['model', 'inspect', 'models/iris', '--providers', 'cpu', '--json']);
  expect(JSON.parse(json.stdout)).toMatchObject({
    output: { name: 'probabilities', index: 0 },
    classes: { label: 'label', probabilities: 'probabilities', labels: ['setosa', 'versicolor', 'virginica'] },
  });
  const { code, stdout } = await scoreBatch(repository(), ['model', 'verify', 'models/iris']);
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^iris \S+ on cpu: 32 golden rows agree, /)]);
});

it('the model.yaml that inspect prints for three classes is one of a bundle with classes', async () => {
  const folder = await withBundle(path.join(CLASSES, 'integers'));
  const inspect = async (file: string) => (await scoreBatch(folder, ['model', 'inspect', file, '--providers', 'cpu'])).stdout;
  const printed = await inspect('model/model.onnx');
  expect(printed.split('\n').filter((line) => /output:|classes|golden:/.test(line))).toEqual([
    '# The classes as the file names them. If one of them is the score: { name: probabilities, index: its position from 0 }',
    'output: { label: label, probabilities: probabilities, labels: ["-10", "0", "10"] }     # of label int64[?], probabilities float32[?, 3]',
    'golden: { file: golden.csv, tolerance: 1e-6 }     # the columns, and expected_-10 and so on for each label',
  ]);
  // It is a bundle as it is, once the columns have their names.
  await writeFile(path.join(folder, 'model/model.yaml'), printed.replaceAll('column_', 'c'));
  expect((await scoreBatch(folder, ['model', 'verify', 'model'])).stdout).toContain('15 golden rows agree');
  // Two classes usually are a score, and a file that does not name its classes has none to print.
  for (const name of ['two', 'network-pruned']) {
    const { stdout } = await scoreBatch(CLASSES, ['model', 'inspect', `${name}/model.onnx`, '--providers', 'cpu']);
    expect((parse(stdout) as { output: unknown }).output).toEqual({ name: 'probabilities', index: 1 });
  }
});

it('tensorize keeps the classes, and says that the label goes', async () => {
  const folder = await withBundle(path.join(CLASSES, 'forest'));
  const made = await scoreBatch(folder, ['model', 'tensorize', 'model', '--out', 'tensors']);
  expect(transcript(made, folder).replaceAll(/difference \S+/g, 'difference <small>')).toMatchInlineSnapshot(`
    "exit 0
    stdout:
    wrote <project>/tensors: forest 1+tensors, trees as tensor operations (4, depth 3)
    equal to the original on cpu: 15 golden, 2,048 random and 256 rows at thresholds, largest difference <small> (tolerance 0.00001)
    next: run \`score-batch model inspect tensors\` to see what a GPU would run
    stderr:
    warning: on cpu the original is 10 to 30 times faster: use the new bundle only with a GPU
    warning: the new bundle leaves out the output label, because no GPU computes labels; it keeps the probabilities"
  `);
  const { output } = parse(await readFile(path.join(folder, 'tensors/model.yaml'), 'utf8')) as { output: unknown };
  expect(output).toEqual({ probabilities: 'probabilities', labels: ['setosa', 'versicolor', 'virginica'] });
  expect((await scoreBatch(folder, ['model', 'verify', 'tensors'])).stdout).toContain('15 golden rows agree');
});

it('reference makes what a bundle with classes has, from a column per class', async () => {
  const folder = await withBundle(repository('models/iris'));
  const csv = ['--csv', 'model/golden.csv'];
  const expected = ['setosa', 'versicolor', 'virginica'].map((label) => `expected_${label}`).join();
  const made = await scoreBatch(folder, ['model', 'reference', 'model', ...csv, '--expected', expected, '--write', '--json']);
  expect({ code: made.code, stderr: made.stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(made.stdout)).toMatchObject({
    rows: 32,
    expected,
    golden: { written: false },
    baseline_file: { written: true },
  });
  const { reference } = parse(await readFile(path.join(folder, 'model/model.yaml'), 'utf8')) as { reference: object };
  expect(Object.keys(reference)).toEqual(['classes', 'features']);
  expect((await scoreBatch(folder, ['model', 'verify', 'model'])).code).toBe(0);
  const one = await scoreBatch(folder, ['model', 'reference', 'model', ...csv, '--expected', 'expected_setosa']);
  expect(transcript(one, folder)).toMatchInlineSnapshot(`
    "exit 64
    stderr:
    error: --expected names 1 column, but the bundle has 3 classes
    hint: name the column of each class, in the order setosa, versicolor, virginica: --expected p_1,p_2,…"
  `);
});

it('a ZipMap is refused as ever, and can be dropped', async () => {
  const folder = await withBundle(repository('test/fixtures/models/zipmap'));
  const yaml = path.join(folder, 'model/model.yaml');
  await replaceIn(yaml, /^output: .*$/m, 'output: { probabilities: output_probability, labels: ["0", "1"] }');
  await replaceIn(yaml, /^ {2}score: .*\n/m, '');
  expect((await scoreBatch(folder, ['model', 'verify', 'model'])).stderr).toContain('is a list of maps (ZipMap)');
  const dropped = await scoreBatch(folder, ['model', 'drop-zipmap', 'model', '--out', 'plain.onnx']);
  expect({ code: dropped.code, stdout: dropped.stdout }).toEqual({ code: 0, stdout: expect.stringContaining('wrote ') });
});

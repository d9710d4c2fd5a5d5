import { appendFile, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { repository, temporaryFolder } from '../support/project.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { transcript } from '../support/transcript.ts';

const TREES = repository('test', 'fixtures', 'trees');

it('writes a bundle that gives the same scores, says where it comes from, and is a bundle like any other', async () => {
  const folder = await temporaryFolder();
  await cp(path.join(TREES, 'xgboost-missing'), path.join(folder, 'trees'), { recursive: true });
  await writeFile(path.join(folder, 'trees/baseline.csv'), 'c0,c1,c2,c3\n1,2,3,4\n');
  await appendFile(path.join(folder, 'trees/model.yaml'), `baseline_rows: { sha256: ${'a'.repeat(64)} }\n`);
  const made = await scoreBatch(folder, ['model', 'tensorize', 'trees', '--out', 'models/tensors']);
  expect(transcript(made, folder).replaceAll(/difference \S+/g, 'difference <small>')).toMatchInlineSnapshot(`
    "exit 0
    stdout:
    wrote <project>/models/tensors: xgboost-missing 1+tensors, trees as tensor operations (10, depth 3)
    equal to the original on cpu: 30 golden, 2,048 random and 256 rows at thresholds, largest difference <small> (tolerance 0.00001)
    next: run \`score-batch model inspect models/tensors\` to see what a GPU would run
    stderr:
    warning: on cpu the original is 10 to 30 times faster: use the new bundle only with a GPU"
  `);
  expect(await readdir(path.join(folder, 'models'))).toEqual(['tensors']);
  expect((await readdir(path.join(folder, 'models/tensors'))).sort()).toEqual([
    'baseline.csv',
    'golden.csv',
    'model.onnx',
    'model.yaml',
  ]);
  const inspect = async (bundle: string): Promise<object> =>
    JSON.parse((await scoreBatch(folder, ['model', 'inspect', bundle, '--providers', 'cpu', '--json'])).stdout);
  const { digest } = (await inspect('trees')) as { digest: string };
  expect(await inspect('models/tensors')).toMatchObject({
    version: '1+tensors',
    origin: { sha256: digest, version: '1' },
    file: { outputs: [{ name: 'probabilities' }] },
  });
  expect((await scoreBatch(folder, ['model', 'verify', 'models/tensors'])).code).toBe(0);
});

describe('refuses, and writes nothing,', () => {
  it.each<[title: string, args: readonly string[], code: number, message: string]>([
    ['a model without trees', ['linear', '--out', 'new'], 78, 'it has no tree ensemble'],
    ['a folder that is there', ['trees', '--out', 'there'], 64, 'there already exists'],
    ['a folder that is not a bundle, even with --force', ['trees', '--out', 'there', '--force'], 64, 'there is not a bundle'],
    [
      'the folder of the original, even with --force',
      ['trees', '--out', 'trees', '--force'],
      64,
      'trees contains the original',
    ],
    ['what contains the original, even with --force', ['trees', '--out', '.', '--force'], 64, 'contains the original'],
    ['a provider that is not there', ['trees', '--out', 'new', '--providers', 'cuda'], 78, 'no execution provider can run'],
    ['a folder that cannot be made', ['trees', '--out', 'trees/model.yaml/new'], 77, 'new cannot be written'],
    ['to be called without --out', ['trees'], 64, '--out'],
  ])('%s', async (_, args, code, message) => {
    const folder = await temporaryFolder();
    await cp(path.join(TREES, 'sklearn-tree'), path.join(folder, 'trees'), { recursive: true });
    await cp(repository('test/fixtures/models/linear'), path.join(folder, 'linear'), { recursive: true });
    await mkdir(path.join(folder, 'there'));
    const before = await readdir(folder, { recursive: true });
    const outcome = await scoreBatch(folder, ['model', 'tensorize', ...args]);
    expect(outcome).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(message) });
    expect(outcome.stderr).not.toMatch(/^ {4}at /m);
    expect(await readdir(folder, { recursive: true })).toEqual(before);
  });

  it('a bundle whose golden rows the model does not give', async () => {
    const folder = await temporaryFolder();
    await cp(path.join(TREES, 'sklearn-tree'), path.join(folder, 'trees'), { recursive: true });
    const golden = path.join(folder, 'trees/golden.csv');
    await writeFile(golden, (await readFile(golden, 'utf8')).replace(/,[\d.]+\n$/, ',0.123\n'));
    const { code, stderr } = await scoreBatch(folder, ['model', 'tensorize', 'trees', '--out', 'new']);
    expect(code).toBe(78);
    expect(stderr).toContain('does not reproduce the golden scores');
    expect(await readdir(folder)).toEqual(['trees']);
  });
});

it('replaces a bundle with --force, and keeps what was written into model.yaml', async () => {
  const folder = await temporaryFolder();
  await cp(path.join(TREES, 'sklearn-tree'), path.join(folder, 'trees'), { recursive: true });
  const yaml = path.join(folder, 'trees/model.yaml');
  await writeFile(yaml, `# Ask growth before you change it.\n${await readFile(yaml, 'utf8')}`);
  await cp(path.join(TREES, 'sklearn-forest'), path.join(folder, 'new'), { recursive: true });
  expect((await scoreBatch(folder, ['model', 'tensorize', 'trees', '--out', 'new', '--force'])).code).toBe(0);
  const text = await readFile(path.join(folder, 'new/model.yaml'), 'utf8');
  expect(text).toContain('# Ask growth before you change it.\nname: sklearn-tree\n');
  expect(text).toMatch(/^origin: \{ sha256: [0-9a-f]{64}, version: "1", by: score-batch \S+ model tensorize \}$/m);
  expect((await readdir(folder)).sort()).toEqual(['new', 'trees']);
});

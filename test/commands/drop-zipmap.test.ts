import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { repository, temporaryFolder } from '../support/project.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { transcript } from '../support/transcript.ts';

const MODELS = repository('test', 'fixtures', 'models');

async function copied(model: string): Promise<string> {
  const folder = await temporaryFolder();
  await cp(path.join(MODELS, model), path.join(folder, 'model'), { recursive: true });
  return folder;
}

it('inspect says at once what stands in the way, and the command that clears it', async () => {
  const folder = await copied('catboost');
  const file = await scoreBatch(folder, ['model', 'inspect', 'model/model.onnx', '--providers', 'cpu']);
  expect(transcript(file, folder)).toMatchInlineSnapshot(`
    "exit 0
    stdout:
    # zipmap    the output probabilities is a list of maps (ZipMap), as CatBoost always writes them, which cannot be scored; the tensor probability_tensor has the probabilities, columns 0 (class 0), 1 (class 1)
    #           run \`score-batch model drop-zipmap model/model.onnx --out FILE\` to make the probabilities the output, then inspect that file
    # nodes     cpu: all 2
    # trees     no GPU has a kernel for TreeEnsembleClassifier; \`score-batch model tensorize\` rewrites trees as operations that GPUs can run"
  `);
  const bundle = await scoreBatch(folder, ['model', 'inspect', 'model', '--providers', 'cpu']);
  expect(bundle.stdout).toMatch(
    /^zipmap {4}the output probabilities is a list of maps \(ZipMap\), as CatBoost always writes them/,
  );
  const json = await scoreBatch(folder, ['model', 'inspect', 'model', '--providers', 'cpu', '--json']);
  expect(JSON.parse(json.stdout)).toMatchObject({
    zipmaps: [{ output: 'probabilities', tensor: 'probability_tensor', classes: ['0', '1'] }],
  });
});

it('writes a file that gives the probabilities that Python had from the ZipMap', async () => {
  const folder = await copied('catboost');
  expect((await scoreBatch(folder, ['model', 'verify', 'model'])).code).toBe(78);
  const made = await scoreBatch(folder, ['model', 'drop-zipmap', 'model', '--out', 'model/model.onnx', '--force']);
  expect(transcript(made, folder)).toMatchInlineSnapshot(`
    "exit 0
    stdout:
    wrote <project>/model/model.onnx
    sha256    132fcfcd6edf643c1d267ef102083ef8cd51e8fe77ae5b856d3b9f8323b354c8
    output    probability_tensor instead of probabilities, columns 0 (class 0), 1 (class 1)
    bit for bit equal to the original on 2048 random rows
    next: set sha256 and output in model.yaml; \`score-batch model inspect model/model.onnx\` prints one to start from"
  `);
  const digest = /^sha256 +(\w+)$/m.exec(made.stdout)?.[1] ?? '';
  const yaml = path.join(folder, 'model/model.yaml');
  await writeFile(yaml, (await readFile(yaml, 'utf8')).replace(/^sha256: .*$/m, `sha256: ${digest}`));
  const verified = await scoreBatch(folder, ['model', 'verify', 'model']);
  expect(verified).toMatchObject({ code: 0, stdout: expect.stringContaining('12 golden rows agree') });
  expect((await readdir(path.join(folder, 'model'))).sort()).toEqual(['golden.csv', 'model.onnx', 'model.yaml']);
});

describe('refuses, and writes nothing,', () => {
  it.each<[title: string, args: readonly string[], code: number, message: string]>([
    ['a file that is there', ['model/model.onnx', '--out', 'model/model.onnx'], 64, 'model.onnx already exists'],
    ['a file that cannot be made', ['model/model.onnx', '--out', 'linear.onnx/new.onnx'], 77, 'new.onnx cannot be written'],
    ['a file that is not there', ['model/other.onnx', '--out', 'new.onnx'], 78, 'other.onnx does not exist'],
  ])('%s', async (_, args, code, message) => {
    const folder = await copied('zipmap');
    await cp(path.join(MODELS, 'linear/model.onnx'), path.join(folder, 'linear.onnx'));
    await mkdir(path.join(folder, 'there'));
    const before = await readdir(folder, { recursive: true });
    const outcome = await scoreBatch(folder, ['model', 'drop-zipmap', ...args]);
    expect(outcome).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(message) });
    expect(outcome.stderr).toMatch(/^hint: ./m);
    expect(outcome.stderr).not.toMatch(/^ {4}at /m);
    expect(await readdir(folder, { recursive: true })).toEqual(before);
  });
});

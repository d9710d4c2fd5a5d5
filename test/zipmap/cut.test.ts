import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodeMessage } from '../../src/onnx/encode.ts';
import { parseModel, serializeModel } from '../../src/onnx/model.ts';
import { readModel } from '../../src/runtime/model-file.ts';
import { openSession } from '../../src/runtime/session.ts';
import { zipMapsOf } from '../../src/zipmap/cut.ts';
import { dropZipMap } from '../../src/zipmap/drop.ts';
import { field, graph, model, node } from '../support/onnx.ts';
import { repository, temporaryFolder } from '../support/project.ts';

const MODELS = repository('test', 'fixtures', 'models');
const options = (out: string) => ({ out, force: false, signature: undefined });

it('gives the tensor where the list of maps was, and keeps the other outputs', async () => {
  const out = path.join(await temporaryFolder(), 'new/model.onnx');
  const { zipMaps, digest, rows } = await dropZipMap(path.join(MODELS, 'catboost/model.onnx'), options(out));
  expect(zipMaps).toEqual([{ output: 'probabilities', tensor: 'probability_tensor', classes: ['0', '1'] }]);
  expect(rows).toBe(2048);
  const written = await readModel(out);
  expect(written.digest).toBe(digest);
  const session = await openSession(written, { providers: ['cpu'], requireGpu: false });
  expect(session.metadata.outputs).toEqual([
    { name: 'label', dtype: 'int64', shape: ['N'] },
    { name: 'probability_tensor', dtype: 'float32', shape: ['N', 2] },
  ]);
  await session.close();
});

describe('refuses, and writes nothing:', () => {
  const refused = async (bytes: Buffer) => {
    const folder = await temporaryFolder();
    const file = path.join(folder, 'original.onnx');
    await writeFile(file, bytes);
    const error: unknown = await dropZipMap(file, options(path.join(folder, 'new.onnx'))).catch((caught: unknown) => caught);
    await rm(file);
    await expect(readFile(path.join(folder, 'new.onnx'))).rejects.toThrow('ENOENT');
    return error;
  };
  it('a model without one', async () => {
    const linear = await readFile(path.join(MODELS, 'linear/model.onnx'));
    expect(await refused(linear)).toMatchObject({ kind: 'configuration', message: expect.stringContaining('has no ZipMap') });
  });

  it('over what is not a file, even by force', async () => {
    const out = await temporaryFolder();
    const file = path.join(MODELS, 'zipmap/model.onnx');
    await expect(dropZipMap(file, { out, force: true, signature: undefined })).rejects.toMatchObject({ kind: 'usage' });
  });

  it('one inside of another node, or of a function', async () => {
    const original = await readFile(path.join(MODELS, 'zipmap/model.onnx'));
    const inner = model.function(field(1, 'F'), field(10, 'own'), field(7, [node.operator('ZipMap', 'ai.onnx.ml')]));
    expect(await refused(Buffer.concat([original, inner]))).toMatchObject({
      message: expect.stringContaining('inside a nested graph'),
    });
  });

  it('one whose maps are read by another node', async () => {
    const original = parseModel(await readFile(path.join(MODELS, 'catboost/model.onnx')));
    const [trees] = original.graph.nodes;
    if (trees === undefined) throw new Error('the fixture has no nodes');
    const message = nodeMessage({ operator: 'SequenceLength', inputs: ['probabilities'], outputs: ['length'] }, 'length');
    const reader = { ...trees, operator: 'SequenceLength', inputs: ['probabilities'], outputs: ['length'], message };
    const graph = { ...original.graph, nodes: [...original.graph.nodes, reader] };
    expect(await refused(serializeModel({ ...original, graph }))).toMatchObject({
      kind: 'configuration',
      message: expect.stringContaining('another node reads probabilities'),
    });
  });
});

it('names no classes where they are negative numbers', () => {
  const minus = Buffer.from([255, 255, 255, 255, 255, 255, 255, 255, 255, 1]);
  const labels = field(5, [field(1, 'classlabels_int64s'), field(8, Buffer.concat([minus, Buffer.from([1])]))]);
  const zipMap = graph.node(field(1, 'p'), field(2, 'maps'), node.operator('ZipMap', 'ai.onnx.ml'), labels);
  const [found] = zipMapsOf(parseModel(model.graph(zipMap)));
  expect(found).toEqual({ output: 'maps', tensor: 'p', classes: undefined });
});

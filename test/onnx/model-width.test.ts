import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { layerWidth } from '../../src/onnx/model-width.ts';
import { field, graph, model } from '../support/onnx.ts';
import { repository } from '../support/project.ts';

const read = (...parts: string[]) => readFile(repository(...parts));

/** A tensor of a shape, packed as exporters write it, or number by number. */
function tensor(name: string, shape: readonly number[], packed: boolean): Buffer {
  const dims = packed
    ? [field(1, Buffer.concat(shape.map((size) => field(1, size).subarray(1))))]
    : shape.map((size) => field(1, size));
  return Buffer.concat([...dims, field(2, 1), field(8, name)]);
}

function product(operator: string, ...inputs: string[]): Buffer {
  return graph.node(...inputs.map((name) => field(1, name)), field(2, 'y'), field(4, operator));
}

it('is the longest side of the matrices that rows are multiplied by', async () => {
  expect(layerWidth(await read('bench', 'mlp', 'model.onnx'))).toBe(64);
  expect(layerWidth(await read('models', 'churn', 'model.onnx'))).toBe(16);
});

it.each([true, false])('is read from shapes in either form (packed: %s)', (packed) => {
  const bytes = model.graph(
    product('Gemm', 'x', 'weights', 'bias'),
    product('MatMul', 'h', 'more'),
    product('Gather', 'embeddings', 'x'),
    graph.initializer(tensor('weights', [20, 300], packed)),
    graph.initializer(tensor('bias', [5000], packed)),
    graph.initializer(tensor('more', [300, 7], packed)),
    // A table in which rows are looked up is not a layer.
    graph.initializer(tensor('embeddings', [100_000, 16], packed)),
  );
  expect(layerWidth(bytes)).toBe(300);
});

it('is 0 of what has no layers, and of what is not a model', async () => {
  expect(layerWidth(Buffer.alloc(0))).toBe(0);
  expect(layerWidth(await read('test', 'fixtures', 'models', 'garbage', 'model.onnx'))).toBe(0);
});

import { readdir } from 'node:fs/promises';
import { expect, it, vi } from 'vitest';
import { parseModel, serializeModel } from '../../src/onnx/model.ts';
import { readModel } from '../../src/runtime/model-file.ts';
import { placeNodes } from '../../src/runtime/placement.ts';
import { placedNodes } from '../../src/runtime/profile.ts';
import { field } from '../support/onnx.ts';
import { repository, temporaryFolder } from '../support/project.ts';

const ROWS = [{ name: 'features', dtype: 'float32' as const, values: new Float32Array(4), shape: [2, 2] }];
const LINEAR = await readModel(repository('test', 'fixtures', 'models', 'linear', 'model.onnx'));

it('says where each node runs, and leaves no file', async () => {
  const temporary = await temporaryFolder();
  vi.stubEnv('TMPDIR', temporary);
  expect(await placeNodes(LINEAR, 'cpu', ROWS, ['score'])).toEqual([
    { name: 'MatMul_0', operator: 'MatMul', provider: 'cpu' },
    { name: 'Sigmoid_1', operator: 'Sigmoid', provider: 'cpu' },
  ]);
  await expect(placeNodes(LINEAR, 'cpu', [], ['score'])).rejects.toMatchObject({ kind: 'configuration' });
  expect(await readdir(temporary)).toEqual([]);
  vi.unstubAllEnvs();
});

it('names of nodes that break the profile are refused, and none can say that it ran elsewhere', async () => {
  const model = parseModel(LINEAR.bytes);
  const named = (name: string) => {
    const nodes = model.graph.nodes.map((node, i) => ({
      ...node,
      message: Buffer.concat([node.message, field(3, `${name}${i}`)]),
    }));
    return { ...LINEAR, bytes: serializeModel({ ...model, graph: { ...model.graph, nodes } }) };
  };
  for (const name of [
    'a "quoted" name',
    'a\nline',
    '\\',
    '"}},{"cat":"Node","name":"x_kernel_time","args":{"provider":"GPU"}},{"x":{"y":"',
  ]) {
    const placed = await placeNodes(named(name), 'cpu', ROWS, ['score']).catch((error: unknown) => error);
    if (placed instanceof Error)
      expect(placed).toMatchObject({ kind: 'configuration', hint: expect.stringContaining('plain names') });
    else expect((placed as { provider: string }[]).map(({ provider }) => provider)).toEqual(['cpu', 'cpu']);
  }
});

it('a provider that this build does not have is the runtime’s own error, which says so', async () => {
  await expect(placeNodes(LINEAR, { name: 'coreml' }, ROWS, ['score'])).rejects.toThrow(/coreml/i);
});

it('reads a profile: one entry a node, fused nodes and copies as the runtime calls them', () => {
  const event = (name: string, index: string, operator: string, provider: string) => ({
    cat: 'Node',
    name: `${name}_kernel_time`,
    args: { op_name: operator, provider: `${provider}ExecutionProvider`, node_index: index },
  });
  const events = [
    { cat: 'Session', name: 'session_initialization', args: {} },
    { cat: 'Node', name: 'a_fence_before', args: { op_name: 'Gemm' } },
    event('a', '0', 'FusedGemm', 'CUDA'),
    event('a', '0', 'FusedGemm', 'CUDA'),
    event('Memcpy', '7', 'MemcpyToHost', 'WebGpu'),
    event('trees', '8', 'TreeEnsembleRegressor', 'CPU'),
    event('trees', '9', 'TreeEnsembleRegressor', 'CPU'),
  ];
  expect(placedNodes(JSON.stringify(events))).toEqual([
    { name: 'a', operator: 'FusedGemm', provider: 'cuda' },
    { name: 'Memcpy', operator: 'MemcpyToHost', provider: 'webgpu' },
    { name: 'trees', operator: 'TreeEnsembleRegressor', provider: 'cpu' },
    { name: 'trees', operator: 'TreeEnsembleRegressor', provider: 'cpu' },
  ]);
  expect(() => placedNodes('{}')).toThrow(SyntaxError);
  expect(() => placedNodes('[{')).toThrow(SyntaxError);
});

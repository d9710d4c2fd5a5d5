import { expect, it } from 'vitest';
import { type Execution, showExecution, showServing } from '../../src/domain/execution.ts';

const EXECUTION: Execution = {
  provider: 'cpu',
  devices: ['cpu'],
  gpu: false,
  onnxruntime: '1.30.0',
  skipped: [{ provider: 'cuda', why: 'no NVIDIA GPU was found' }],
};

it('check says why a provider does not serve; a run need not say it every week', () => {
  expect(showExecution(EXECUTION)).toEqual(['cpu, ONNX Runtime 1.30.0', 'not cuda: no NVIDIA GPU was found']);
  expect(showServing(EXECUTION)).toEqual(['cpu, ONNX Runtime 1.30.0']);
});

it('counts have separators and plurals', () => {
  const gpu = { ...EXECUTION, provider: 'cuda', devices: ['cuda'], gpu: true, nodes: 1234, nodes_on_cpu: 1 };
  expect(showServing({ ...gpu, canary: { rows: 8192, largest_difference: 1e-7, tolerance: 1e-4 } })).toEqual([
    'cuda, ONNX Runtime 1.30.0, 1 of 1,234 nodes on cpu',
    'canary: 8,192 rows differ from cpu by 1.0e-7 at most',
  ]);
});

import { expect, it } from 'vitest';
import { chunksFor } from '../../src/domain/frozen-table.ts';
import type { Signature } from '../../src/domain/signature.ts';
import { batchRows, rowBytes, workerCount } from '../../src/sizing/batch-rows.ts';

function signature(features: number): Signature {
  const columns = Array.from({ length: features }, (_, i) => ({
    name: `f${i}`,
    nullable: false,
    unknown: 'quarantine' as const,
  }));
  return { inputs: [{ name: 'x', dtype: 'float32', features: columns }], output: { name: 'y', index: 0 } };
}

it.each([
  // What the model of the benchmark is fastest with (`npm run bench:sizing`).
  [20, 64, 8192],
  [20, 0, 8192],
  [2, 512, 1024],
  [500, 100, 1024],
  [3000, 0, 256],
  [2, 100_000, 256],
])('%i features and a layer of %i values: batches of %i rows', (features, width, rows) => {
  expect(batchRows('auto', signature(features), width)).toBe(rows);
});

it('what is configured is taken as it is', () => {
  expect(batchRows(7, signature(3), 512)).toBe(7);
  expect(workerCount(8, { provider: 'cpu', devices: ['cpu'] }, 2)).toBe(8);
});

it('a worker per processor; a GPU has one', () => {
  expect(workerCount(undefined, { provider: 'cpu', devices: ['cpu'] }, 6)).toBe(6);
  expect(workerCount(undefined, { provider: 'cuda', devices: ['cuda'] }, 6)).toBe(1);
  expect(workerCount(8, { provider: 'cuda', devices: ['cuda:0', 'cuda:1'] }, 6)).toBe(2);
});

it('a row takes its features as they are encoded, and a layer that is read with one that is written', () => {
  expect(rowBytes(signature(20), 64)).toBe(20 * 4 + 2 * 64 * 4);
  expect(rowBytes(signature(20), 0)).toBe(20 * 4 + 2 * 20 * 4);
});

it.each([
  [0, 1],
  [24_999, 1],
  [60_000, 2],
  [1_000_000, 16],
  [4_000_000, 16],
  [10_000_000, 40],
])('%i rows are spread over %i chunks', (rows, chunks) => {
  expect(chunksFor(rows, { chunkRows: 250_000, leastChunks: 16 })).toBe(chunks);
  // Without a wish, as large as they may be.
  expect(chunksFor(rows, { chunkRows: 250_000 })).toBe(Math.max(1, Math.ceil(rows / 250_000)));
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Vector, VectorType } from '../../src/duckdb/vector.ts';
import { createRing, RingStopped, readRing, scoredBatches, slotBytes, stopRing, writeRing } from '../../src/tap/ring.ts';

const TYPES: readonly VectorType[] = ['INTEGER', 'DOUBLE', 'UTINYINT'];

/** A vector as DuckDB gives it: values, and bits where some of them are not there. */
function vectors(values: readonly (number | null)[]): Vector[] {
  const valid = new Uint8Array(Math.ceil(values.length / 64) * 8);
  values.forEach((value, row) => {
    if (value !== null) valid[row >> 3] = (valid[row >> 3] as number) | (1 << (row & 7));
  });
  const bits = values.includes(null) ? valid : undefined;
  const filled = values.map((value) => value ?? 0);
  return [Int32Array.from(filled), Float64Array.from(filled), Uint8Array.from(filled)].map((array) => ({
    bytes: new Uint8Array(array.buffer),
    valid: bits,
  }));
}

function valueAt({ bytes, valid }: Vector, row: number, read: (view: DataView) => number): number | null {
  if (valid !== undefined && ((valid[row >> 3] as number) & (1 << (row & 7))) === 0) return null;
  return read(new DataView(bytes.buffer, bytes.byteOffset));
}

describe('a ring of batches', () => {
  it('gives the rows that were put in, in batches of one size, whatever vectors they came in', () => {
    const value = fc.option(fc.integer({ min: 0, max: 255 }), { nil: null });
    fc.assert(
      fc.property(
        fc.array(fc.array(value, { maxLength: 50 }), { maxLength: 12 }),
        fc.integer({ min: 1, max: 40 }),
        (parts, batchRows) => {
          const ring = createRing({ types: TYPES, batchRows, slots: 600 });
          const writer = writeRing(ring);
          let before = 0;
          for (const part of parts) {
            expect(writer.put(part.length, vectors(part))).toBe(before);
            before += part.length;
          }
          expect(writer.end()).toBe(before);
          const reader = readRing(ring);
          const found: (number | null)[][] = [[], [], []];
          for (let batch = reader.take(); batch !== undefined; batch = reader.take()) {
            if (batch.sequence < Math.floor(before / batchRows)) expect(batch.rows).toBe(batchRows);
            const { rows, columns } = batch;
            for (let row = 0; row < rows; row += 1) {
              found[0]?.push(valueAt(columns[0] as Vector, row, (view) => view.getInt32(4 * row, true)));
              found[1]?.push(valueAt(columns[1] as Vector, row, (view) => view.getFloat64(8 * row, true)));
              found[2]?.push(valueAt(columns[2] as Vector, row, (view) => view.getUint8(row)));
            }
            batch.free();
          }
          expect(found).toEqual([parts.flat(), parts.flat(), parts.flat()]);
        },
      ),
    );
  });

  it('uses its slots again, and counts what was scored', () => {
    const ring = createRing({ types: TYPES, batchRows: 4, slots: 2 });
    const writer = writeRing(ring);
    const reader = readRing(ring);
    for (let round = 0; round < 5; round += 1) {
      writer.put(4, vectors([round, null, round + 1, 7]));
      const batch = reader.take();
      expect(batch?.sequence).toBe(round);
      expect(valueAt(batch?.columns[0] as Vector, 0, (view) => view.getInt32(0, true))).toBe(round);
      expect(valueAt(batch?.columns[0] as Vector, 1, (view) => view.getInt32(4, true))).toBe(null);
      batch?.free();
    }
    expect(scoredBatches(ring)).toBe(5);
  });

  it('lets nobody wait any more once it is stopped', () => {
    const ring = createRing({ types: TYPES, batchRows: 4, slots: 2 });
    const writer = writeRing(ring);
    stopRing(ring);
    expect(() => writer.put(4, vectors([1, 2, 3, 4]))).toThrow(RingStopped);
    expect(() => readRing(ring).take()).toThrow(RingStopped);
  });

  it('takes as many bytes as its columns', () => {
    expect(slotBytes({ types: TYPES, batchRows: 64 })).toBe(64 * (4 + 8 + 1) + 3 * 8 + 8);
  });
});

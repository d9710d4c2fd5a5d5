import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Datatype } from '../../../src/serve/oip/datatype.ts';
import { readRaw, writeRaw } from '../../../src/serve/oip/raw.ts';

it('reads numbers at any position of a buffer', () => {
  const write: [Datatype, number, (view: DataView, at: number, value: number) => void][] = [
    ['FP32', 4, (view, at, value) => view.setFloat32(at, value, true)],
    ['FP64', 8, (view, at, value) => view.setFloat64(at, value, true)],
    ['INT16', 2, (view, at, value) => view.setInt16(at, value, true)],
    ['UINT32', 4, (view, at, value) => view.setUint32(at, value, true)],
    ['INT64', 8, (view, at, value) => view.setBigInt64(at, BigInt(value), true)],
  ];
  for (const [datatype, size, set] of write) {
    for (let shift = 0; shift < 9; shift += 1) {
      const bytes = new Uint8Array(shift + 3 * size);
      for (let i = 0; i < 3; i += 1) set(new DataView(bytes.buffer), shift + i * size, i + 1);
      const data = readRaw({ name: 'x', datatype, shape: [3] }, bytes.subarray(shift));
      expect(Array.from(data as Float32Array, Number)).toEqual([1, 2, 3]);
    }
  }
});

it('reads back the texts that it writes', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (texts) => {
      const bytes = writeRaw({ data: texts });
      expect(readRaw({ name: 'x', datatype: 'BYTES', shape: [texts.length] }, bytes)).toEqual(texts);
    }),
  );
});

it('refuses any bytes that are not texts, and reads none that are not there', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(2 ** 32), (bytes, count) => {
      try {
        const texts = readRaw({ name: 'x', datatype: 'BYTES', shape: [count] }, bytes) as string[];
        expect(writeRaw({ data: texts })).toEqual(Buffer.from(bytes));
      } catch (error) {
        expect(error).toMatchObject({ name: 'ServeFailure', kind: 'invalid' });
      }
    }),
    { numRuns: 500 },
  );
});

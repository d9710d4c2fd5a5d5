import { expect, it } from 'vitest';
import { pickRows } from '../../src/duckdb/picked-rows.ts';

it('picks values and texts with the bits that say which are there', () => {
  const rows = [1, 8, 9];
  const valid = Uint8Array.of(0b0000_0010, 0b0000_0010);
  const numbers = Int32Array.from({ length: 10 }, (_, i) => i * 100);
  expect(pickRows({ kind: 'fixed', width: 4, bytes: new Uint8Array(numbers.buffer), valid }, rows)).toEqual({
    kind: 'fixed',
    width: 4,
    bytes: new Uint8Array(Int32Array.of(100, 800, 900).buffer),
    valid: Uint8Array.of(0b101),
  });
  const words = ['a', 'bé', 'c', '', '', '', '', '', '', 'long enough for a pointer'];
  const encoded = words.map((word) => Buffer.from(word));
  const offsets = new Int32Array(11);
  for (const [i, { length }] of encoded.entries()) offsets[i + 1] = (offsets[i] as number) + length;
  const bytes = new Uint8Array(Buffer.concat(encoded));
  expect(pickRows({ kind: 'text', offsets, bytes, valid: undefined }, rows)).toEqual({
    kind: 'text',
    offsets: Int32Array.of(0, 3, 3, 28),
    bytes: new Uint8Array(Buffer.from('bélong enough for a pointer')),
    valid: undefined,
  });
});

import { expect, it } from 'vitest';
import { priceOf, showBytes } from '../../src/domain/cost.ts';

it.each([
  [0, '0 bytes'],
  [999, '999 bytes'],
  [12_345, '12.3 kB'],
  [50_000_000_000, '50 GB'],
  [1e18, '1000 PB'],
])('shows %d bytes as %j', (bytes, shown) => {
  expect(showBytes(bytes)).toBe(shown);
});

it('prices 2^40 bytes as one TiB', () => {
  expect(priceOf(2 ** 40, 6.25)).toBe(6.25);
  expect(priceOf(2 ** 30, 6.25)).toBe(6.25 / 1024);
});

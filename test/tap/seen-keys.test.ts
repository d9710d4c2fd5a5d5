import { expect, it } from 'vitest';
import { createSeenKeys } from '../../src/tap/seen-keys.ts';

function hashes(values: readonly bigint[]): Uint32Array {
  return new Uint32Array(BigUint64Array.from(values).buffer);
}

it('adds up hashes beyond what a number holds, and suspects those whose bit came before', () => {
  const keys = createSeenKeys();
  const large = 2n ** 60n - 1n;
  keys.see(hashes([large, 5n, 6n]), 3);
  expect(keys.suspects).toBe(0);
  // Another hash with the bit of 6.
  keys.see(hashes([large, 6n + 2n ** 28n]), 2);
  expect(keys.checksum).toBe(String(2n * large + 17n + 2n ** 28n));
  expect(keys.suspects).toBe(2);
  expect([...(keys.bits ?? [])]).toEqual([2 ** 28 - 1, 6]);
  expect([5, 6, 7].map((low) => keys.isSuspect(low))).toEqual([false, true, false]);
});

it('lists no more suspects than are worth it', () => {
  const keys = createSeenKeys();
  const same = hashes(new Array<bigint>(2048).fill(9n));
  for (let i = 0; i < 1_100; i += 1) keys.see(same, 2048);
  expect(keys.suspects).toBe(1_100 * 2048 - 1);
  expect(keys.bits).toBeUndefined();
  expect(keys.isSuspect(9)).toBe(true);
});

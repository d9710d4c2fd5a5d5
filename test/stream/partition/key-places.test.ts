import { createHash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { rememberKeyPlaces } from '../../../src/stream/partition/key-places.ts';

describe('where keys were seen', () => {
  it.each([
    ['short', 'k'],
    ['long', 'k'.repeat(100_000)],
  ])('finds the other partition of a key: %s', (_, key) => {
    const places = rememberKeyPlaces();
    expect([places.see(key, 1), places.see(key, 1), places.see(`${key}k`, 2), places.see(key, 3)]).toEqual([
      undefined,
      undefined,
      undefined,
      1,
    ]);
  });

  it('does not take a key for a longer one whose hash it is', () => {
    const places = rememberKeyPlaces();
    const long = 'k'.repeat(1000);
    places.see(long, 1);
    expect(places.see(createHash('sha256').update(long).digest('hex'), 2)).toBeUndefined();
  });

  it('forgets the oldest keys', () => {
    const places = rememberKeyPlaces(2);
    for (const key of ['a', 'b', 'c', 'd', 'e']) places.see(key, 1);
    expect([places.see('a', 2), places.see('d', 2)]).toEqual([undefined, 1]);
  });

  it('keeps no long keys', () => {
    const places = rememberKeyPlaces();
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 1000; i += 1) places.see(`${i}`.padEnd(50_000, 'k'), 1);
    collect();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(10e6);
    expect(places.see('0'.padEnd(50_000, 'k'), 2)).toBe(1);
  });
});

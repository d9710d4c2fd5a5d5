import { expect, it } from 'vitest';
import { parseBands } from '../../src/job/bands.ts';

it.each([
  [{ high: 'top 10%', medium: 'top 30%' }, 'share', [100_000, 300_000]],
  [{ high: 'top 0.5 %', rest: 'top 100%' }, 'share', [5_000, 1_000_000]],
  [{ high: 'top 0.0001%' }, 'share', [1]],
  [{ high: 0.9, medium: 0.8 }, 'threshold', [900_000, 800_000]],
  [{ all: 0 }, 'threshold', [0]],
])('parses %o by %s, in millionths: %j', (spec, by, bounds) => {
  const bands = parseBands(spec);
  expect(bands).toEqual({ by, bounds: Object.keys(spec).map((name, i) => ({ name, bound: bounds[i] })), rest: 'low' });
});

const ORDER = 'the band b must reach further down than a: list bands from the highest risk down';
const KIND = 'bands must be either all shares (top 10%) or all thresholds (0.9)';
const neither = (name: string) => `the band ${name} is neither a share like "top 10%" nor a threshold between 0 and 1`;

it.each([
  [{ a: 'top 10%', b: 0.5 }, KIND],
  [{ a: 'top 30%', b: 'top 10%' }, ORDER],
  [{ a: 'top 30%', b: 'top 30.0%' }, ORDER],
  [{ a: 0.5, b: 0.9 }, ORDER],
  [{ a: 0.9, b: 0.9 }, ORDER],
  [{ a: '10%' }, neither('a')],
  [{ a: 'top 101%' }, neither('a')],
  [{ a: 'top -1%' }, neither('a')],
  [{ a: 1.5 }, neither('a')],
  [{ a: -0.1 }, neither('a')],
  [{ a: 0.9, low: 0.5 }, 'the band low is added for users below the other bands: leave it out'],
])('refuses %o', (spec: Record<string, string | number>, why) => {
  expect(parseBands(spec)).toBe(why);
});

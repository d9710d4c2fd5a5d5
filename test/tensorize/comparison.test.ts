import { describe, expect, it } from 'vitest';
import type { InputTensor, Session } from '../../src/runtime/session.ts';
import { compareModels } from '../../src/tensorize/comparison.ts';

/** A session that gives these values, two a row. */
function giving(...values: number[]): Session {
  return { provider: 'webgpu', run: async () => ({ values: Float64Array.from(values), width: 2 }) } as unknown as Session;
}

const inputs: InputTensor[] = [{ name: 'x', dtype: 'float32', values: new Float32Array(2), shape: [2, 1] }];
const compare = (expected: number[], found: number[], index?: number) =>
  compareModels({
    what: 'random rows',
    original: giving(...expected),
    made: giving(...found),
    output: 'y',
    ...(index !== undefined && { index }),
    inputs,
    tolerance: 0.01,
  });

describe('two models', () => {
  it('agree within the tolerance, of large scores within that share of them; NaN equals NaN, infinity itself', async () => {
    expect(await compare([0, 1, 1000, 5], [0.01, 0.995, 1009, 5])).toBe(9);
    expect(await compare([Number.NaN, Infinity, 0, 0], [Number.NaN, Infinity, 0, -0])).toBe(0);
    // Only the score counts, where there is one.
    expect(await compare([0, 1, 0, 1], [9, 1, 9, 1], 1)).toBe(0);
  });

  it.each<[string, number[], number[]]>([
    ['a little too much', [0, 1, 0, 1], [0, 1.011, 0, 1]],
    ['NaN', [0, 1, 0, 1], [0, Number.NaN, 0, 1]],
    ['a number for NaN', [0, Number.NaN, 0, 1], [0, 1, 0, 1]],
    ['infinity', [0, 1, 0, 1], [0, Infinity, 0, 1]],
    ['less for infinity', [0, Infinity, 0, 1], [0, 1, 0, 1]],
  ])('differ by %s', async (_, expected, found) => {
    await expect(compare(expected, found)).rejects.toMatchObject({
      kind: 'configuration',
      message: expect.stringMatching(/on webgpu, row 1 of the random rows gives \S+ instead of \S+, and the tolerance is 0.01/),
    });
  });
});

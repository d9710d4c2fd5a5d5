import { expect, it } from 'vitest';
import { sizeCheck } from '../../../src/serve/oip/sizes.ts';

const MODEL = { maxRows: 100, kinds: ['float64', 'string', 'string'] } as const;

it('takes as many elements as the rows of a model have, in whatever tensors', () => {
  const whole = sizeCheck(MODEL);
  whole('inputs', [100, 3]);
  expect(() => whole('more', [1])).toThrow(
    expect.objectContaining({ kind: 'too large', hint: expect.stringContaining('100 rows') }),
  );
  const each = sizeCheck(MODEL);
  for (const name of ['a', 'b', 'c']) each(name, [100]);
  expect(() => each('d', [1])).toThrow('the inputs have more than 300 elements');
});

it('refuses more rows, and more elements in few rows', () => {
  expect(() => sizeCheck(MODEL)('a', [101])).toThrow('the request has 101 rows, but at most 100 are accepted');
  expect(() => sizeCheck(MODEL)('a', [4_000_000])).toThrow(expect.objectContaining({ kind: 'too large' }));
  expect(() => sizeCheck(MODEL)('a', [1, 4_000_000])).toThrow(expect.objectContaining({ kind: 'too large' }));
  expect(() => sizeCheck(MODEL)('a', [-1])).toThrow(expect.objectContaining({ kind: 'invalid' }));
});

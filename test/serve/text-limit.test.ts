import { expect, it } from 'vitest';
import { isLongerThan } from '../../src/serve/text-limit.ts';

it('counts characters of Unicode, as JSON Schema does', () => {
  for (const one of ['x', 'é', '😀']) {
    expect([9, 10, 11, 19, 20, 21].map((count) => isLongerThan(one.repeat(count), 10))).toEqual(
      [9, 10, 11, 19, 20, 21].map((count) => count > 10),
    );
  }
  expect(isLongerThan('', 0)).toBe(false);
});

import { expect, it } from 'vitest';
import { collectProblems } from '../../../src/serve/predict/problems.ts';

it('makes the texts of the listed problems only, and counts all', () => {
  const problems = collectProblems();
  problems.check();
  let made = 0;
  const text = () => `problem ${++made}`;
  for (let i = 0; i < 1_000_000; i += 1) problems.add(text, text);
  expect(made).toBe(40);
  expect(() => problems.check()).toThrow(
    expect.objectContaining({ kind: 'invalid', message: 'problem 1', hint: 'problem 2', details: expect.any(Array) }),
  );
  try {
    problems.check();
  } catch (error) {
    const { details } = error as { details: readonly string[] };
    expect(details).toHaveLength(21);
    expect(details.at(-1)).toBe('and 999,980 more problems');
  }
});

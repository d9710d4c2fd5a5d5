import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Reason, readRejection, rejection } from '../../src/features/rejection.ts';

const FEATURE_REASONS: Reason[] = [
  'null in a required feature',
  'feature is not a finite number',
  'feature out of range',
  'unknown category',
];
const SCORE_REASONS: Reason[] = ['score is not a finite number', 'score outside 0 to 1'];

it('a code tells reason and feature, is never 0 and fits the 32 bits in which it is kept', () => {
  fc.assert(
    fc.property(fc.constantFrom(...FEATURE_REASONS), fc.nat(100_000), (reason, feature) => {
      const code = rejection(reason, feature);
      expect(readRejection(code)).toEqual({ reason, feature });
      expect(code).not.toBe(0);
      expect(Int32Array.of(code)[0]).toBe(code);
    }),
  );
});

it.each(SCORE_REASONS)('%s is about no feature', (reason) => {
  expect(readRejection(rejection(reason))).toEqual({ reason, feature: undefined });
});

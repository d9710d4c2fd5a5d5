import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Evaluated } from '../../src/page/page-data.ts';
import { believed, impliedAuc, separationOf } from '../../src/page/separation.ts';
import { SAMPLE } from './sample.ts';

const newest = SAMPLE.outcome?.newest as Evaluated;
const known = (auc: number, low: number, high: number) => ({
  ...SAMPLE,
  outcome: {
    newest: { ...newest, auc, aucInterval: [low, high] as const },
    deciles: [],
    calibration: [],
    series: [],
    groups: [],
  },
});

describe('how far scores separate', () => {
  it.each([
    [0.56, 0.49, 0.63, 'none'],
    [0.4, 0.35, 0.45, 'none'],
    [0.56, 0.53, 0.59, 'little'],
    [0.6999, 0.68, 0.72, 'little'],
    [0.7, 0.68, 0.72, 'fair'],
    [0.8, 0.78, 0.82, 'well'],
  ])('an AUC of %s with interval %s to %s: %s', (auc, low, high, verdict) => {
    expect(separationOf(known(auc, low, high))).toMatchObject({ verdict, basis: 'outcome', auc, label: '1997-W09' });
  });

  it('is judged by the scores alone where no outcome is known, and then says that it is', () => {
    const separation = separationOf({ ...SAMPLE, outcome: undefined });
    expect(separation).toMatchObject({ basis: 'scores', interval: undefined, label: undefined, verdict: 'little' });
    expect(separation?.tenths?.top).toBeCloseTo(0.8831, 6);
    expect(separation?.tenths?.bottom).toBeCloseTo(0.7281, 6);
  });

  it('is none if all scores are equal, whatever was known before; nobody says anything of one user', () => {
    expect(separationOf({ ...known(0.9, 0.88, 0.92), bandsExplain: undefined })?.verdict).toBe('none');
    expect(separationOf({ ...SAMPLE, totals: { users: 1, expected: 0.5 } })).toBeUndefined();
  });

  it('the AUC that scores imply is that of the pairs', () => {
    const scores = fc.array(fc.double({ min: 0.001, max: 0.999, noNaN: true }), { minLength: 2, maxLength: 30 });
    fc.assert(
      fc.property(scores, (all) => {
        const sorted = [...all].sort((a, b) => b - a);
        let right = 0;
        let pairs = 0;
        for (const [i, p] of sorted.entries())
          for (const [j, q] of sorted.entries()) {
            const weight = p * (1 - q);
            pairs += weight;
            right += i < j ? weight : i === j ? weight / 2 : 0;
          }
        expect(impliedAuc(sorted.map((expected) => ({ users: 1, expected })))).toBeCloseTo(right / pairs, 9);
      }),
    );
    expect(impliedAuc([{ users: 5, expected: 5 }])).toBeUndefined();
    expect(impliedAuc([{ users: 9, expected: 3 }])).toBe(0.5);
  });
});

it('believes untreated users before all, and no window on which the model was trained', () => {
  const one = (label: string, inSample = false) => ({ ...newest, label, inSample });
  const outcome = { newest: one('W9'), deciles: [], calibration: [], series: [one('W8'), one('W9')], groups: [] };
  expect(believed(outcome)?.label).toBe('W9');
  const groups = [
    { group: 'treated' as const, evaluated: one('treated') },
    { group: 'untreated' as const, evaluated: one('untreated') },
  ];
  expect(believed({ ...outcome, groups })?.label).toBe('untreated');
  expect(believed({ ...outcome, newest: one('W9', true), series: [one('W7'), one('W8'), one('W9', true)] })?.label).toBe('W8');
  expect(believed({ ...outcome, newest: one('W9', true), series: [one('W9', true)] })).toBeUndefined();
});

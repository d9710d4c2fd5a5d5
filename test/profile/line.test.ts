import { describe, expect, it } from 'vitest';
import { fitLine, forecast, median } from '../../src/profile/line.ts';
import { studentFactor } from '../../src/profile/student.ts';

// Golden numbers: scipy 1.17.1 with numpy 2.4.6, `stats.t.ppf((1 + confidence) / 2, degrees)` and `stats.linregress`, whose
// standard errors times `stats.t.ppf(0.95, n - 2)` are the half-widths; the prediction interval is the textbook's formula in numpy.

it.each([
  [0.9, 1, 6.313751514675037],
  [0.9, 2, 2.9199855803537242],
  [0.9, 3, 2.3533634348018233],
  [0.9, 4, 2.1318467863266495],
  [0.9, 7, 1.8945786050900062],
  [0.9, 10, 1.8124611228116756],
  [0.9, 31, 1.6955187825458649],
  [0.9, 120, 1.6576508993552352],
  [0.95, 1, 12.706204736174694],
  [0.95, 5, 2.5705818356363146],
  [0.99, 6, 3.7074280213248065],
])("Student's t for %f with %i degrees of freedom is that of scipy", (confidence, degrees, factor) => {
  expect(studentFactor(confidence, degrees)).toBeCloseTo(factor, 9);
});

const points = (rows: readonly number[], costs: readonly number[]) =>
  rows.map((count, i) => ({ rows: count, cost: costs[i] ?? 0 }));
const WEEKS = points([1500, 1800, 2053, 67, 1200, 900], [1.32, 1.41, 1.55, 0.83, 1.18, 1.12]);

describe('a line', () => {
  it('has the coefficients, intervals and forecasts of scipy', () => {
    const line = fitted(WEEKS);
    expect(line.fixed.value).toBeCloseTo(0.7935741580550264, 12);
    expect(line.fixed.low).toBeCloseTo(0.7418912277964177, 9);
    expect(line.fixed.high).toBeCloseTo(0.8452570883136351, 9);
    expect(line.per_row.value).toBeCloseTo(0.0003522014696369471, 14);
    expect(line.per_row.low).toBeCloseTo(0.000315593983199644, 12);
    expect(line.per_row.high).toBeCloseTo(0.00038880895607425024, 12);
    expect(forecast(line, 12).at_most).toBeCloseTo(0.8754353079249857, 9);
    expect(forecast(line, 2053).at_most).toBeCloseTo(1.5860636744059915, 9);
    expect(line).toMatchObject({ points: 6, rows_min: 67, rows_max: 2053, doubt: null });
    expect([line.fixed.above_zero, line.per_row.above_zero]).toEqual([true, true]);
  });

  it('through three points has the wide interval of one degree of freedom, and says that the points are scattered', () => {
    const line = fitted(points([1000, 2000, 4000], [2.1, 2.9, 5.2]));
    expect(line.fixed.value).toBeCloseTo(0.95, 12);
    expect(line.fixed.low).toBeCloseTo(-0.49666221175703895, 9);
    expect(line.fixed.high).toBeCloseTo(2.3966622117570386, 9);
    expect(forecast(line, 24).at_most).toBeCloseTo(2.8338929538800732, 9);
    expect(line.fixed.above_zero).toBe(false);
    expect(line.doubt).toBe('scattered');
  });

  it('through rows that are alike says so', () => {
    expect(fitted(points([100, 110, 120, 130, 130], [5, 4.9, 5.4, 4.6, 5.5])).doubt).toBe('alike');
    // As wide as 95 % of its value: scipy has these numbers, too.
    const line = fitted(points([100, 110, 120, 130, 130], [5, 4.8, 5.3, 5.1, 5.2]));
    expect(line.fixed.low).toBeCloseTo(2.134209203375642, 9);
    expect(line.fixed.high).toBeCloseTo(6.012849620153769, 9);
    expect(line.doubt).toBe(null);
  });

  it('that falls, or begins below 0, is cut off at 0', () => {
    const falling = fitted(points([100, 200, 300, 400], [4, 3, 3.5, 2]));
    expect(falling.per_row).toMatchObject({ value: 0, above_zero: false });
    expect(falling.per_row.low).toBeCloseTo(-0.013086345073811716, 12);
    expect(falling.per_row.high).toBeCloseTo(0.002086345073811718, 12);
    const below = fitted(points([100, 200, 300], [0.1, 1.2, 2.2]));
    expect(below.fixed).toMatchObject({ value: 0, above_zero: false });
    expect(forecast(below, 1).cost).toBeGreaterThan(0);
  });

  it('needs three different row counts', () => {
    expect(fitLine(points([5, 5, 9, 9], [1, 2, 3, 4]))).toBeUndefined();
    expect(fitLine([])).toBeUndefined();
  });

  it('moves its fixed part alone if a constant is added, and scales as a whole with the unit', () => {
    const line = fitted(WEEKS);
    const slower = fitted(WEEKS.map(({ rows, cost }) => ({ rows, cost: cost + 3 })));
    const milliseconds = fitted(WEEKS.map(({ rows, cost }) => ({ rows, cost: cost * 1000 })));
    for (const end of ['value', 'low', 'high'] as const) {
      expect(slower.fixed[end]).toBeCloseTo(line.fixed[end] + 3, 9);
      expect(slower.per_row[end]).toBeCloseTo(line.per_row[end], 12);
      expect(milliseconds.fixed[end]).toBeCloseTo(line.fixed[end] * 1000, 6);
    }
  });

  it('does not depend on the order of its points', () => {
    const { fixed } = fitted(WEEKS);
    expect(fitted(WEEKS.toReversed()).fixed.value).toBeCloseTo(fixed.value, 12);
  });
});

it('takes the middle, or the mean of both middles', () => {
  expect([[3, 1, 2], [4, 1, 2, 3], [5], []].map(median)).toEqual([2, 2.5, 5, 0]);
});

function fitted(list: Parameters<typeof fitLine>[0]) {
  const line = fitLine(list);
  if (line === undefined) throw new Error('too few row counts');
  return line;
}

import { studentFactor } from './student.ts';

/** The cost of a run or a slice, in any unit, for a number of rows. */
export interface Point {
  readonly rows: number;
  readonly cost: number;
}

/** A coefficient with its 90 % interval. */
export interface Estimate {
  /** 0 if least squares yield less: no cost is negative. */
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Whether the whole interval lies above 0. */
  readonly above_zero: boolean;
}

/** `cost = fixed + per_row · rows`. */
export interface Line {
  readonly fixed: Estimate;
  readonly per_row: Estimate;
  readonly points: number;
  readonly rows_min: number;
  readonly rows_max: number;
  /**
   * Why the fixed part is uncertain, if its interval is wider than its value: the row counts are `alike`, or equal rows cost
   * different amounts (`scattered`).
   */
  readonly doubt: 'alike' | 'scattered' | null;
  /** Input of `forecast`; neither rounded nor clipped at 0. */
  readonly moments: {
    /** Mean of the rows. */
    readonly mean: number;
    /** Sum of the squared deviations of the rows from their mean. */
    readonly squares: number;
    /** Standard deviation of the residuals. */
    readonly deviation: number;
    /** Student's t factor for 90 %. */
    readonly factor: number;
  };
}

const CONFIDENCE = 0.9;
export const LEAST_ROW_COUNTS = 3;

/** Rows are alike if the largest window has fewer than this many times the rows of the smallest. */
const ALIKE = 2;

/**
 * Least squares, with 90 % intervals of both coefficients by Student's t with n − 2 degrees of freedom: Draper and Smith,
 * Applied Regression Analysis, chapter 1 (standard errors of slope and intercept); the same as `scipy.stats.linregress`.
 *
 * @returns undefined with fewer than three different row counts
 */
export function fitLine(points: readonly Point[]): Line | undefined {
  const counts = points.map(({ rows }) => rows);
  if (new Set(counts).size < LEAST_ROW_COUNTS) return undefined;
  const n = points.length;
  const mean = sum(counts) / n;
  const meanCost = sum(points.map(({ cost }) => cost)) / n;
  const squares = sum(counts.map((rows) => (rows - mean) ** 2));
  const slope = sum(points.map(({ rows, cost }) => (rows - mean) * (cost - meanCost))) / squares;
  const intercept = meanCost - slope * mean;
  const residuals = sum(points.map(({ rows, cost }) => (cost - intercept - slope * rows) ** 2));
  const deviation = Math.sqrt(residuals / (n - 2));
  const factor = studentFactor(CONFIDENCE, n - 2);
  const fixed = estimate(intercept, factor * deviation * Math.sqrt(1 / n + mean ** 2 / squares));
  const [rows_min, rows_max] = [Math.min(...counts), Math.max(...counts)];
  return {
    fixed,
    per_row: estimate(slope, (factor * deviation) / Math.sqrt(squares)),
    points: n,
    ...{ rows_min, rows_max },
    doubt: fixed.high - fixed.low <= fixed.value ? null : areAlike({ rows_min, rows_max }) ? 'alike' : 'scattered',
    moments: { mean, squares, deviation, factor },
  };
}

/** Whether the samples' rows differ too little to extrapolate to none. */
export function areAlike({ rows_min, rows_max }: Pick<Line, 'rows_min' | 'rows_max'>): boolean {
  return rows_max < ALIKE * rows_min;
}

/** The cost of another run, and the amount that it exceeds in one of twenty cases. */
export interface Forecast {
  readonly cost: number;
  readonly at_most: number;
}

/**
 * The line at `rows`, and the upper end of the 90 % prediction interval of one new observation (Draper and Smith, chapter 1),
 * which grows with the distance from the measured rows.
 */
export function forecast({ fixed, per_row, points, moments }: Line, rows: number): Forecast {
  const { mean, squares, deviation, factor } = moments;
  const cost = fixed.value + per_row.value * rows;
  const error = deviation * Math.sqrt(1 + 1 / points + (rows - mean) ** 2 / squares);
  return { cost, at_most: cost + factor * error };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [below = 0, above = below] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (below + above) / 2;
}

function estimate(value: number, half: number): Estimate {
  return { value: Math.max(0, value), low: value - half, high: value + half, above_zero: value - half > 0 };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

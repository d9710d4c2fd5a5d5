import type { Ensemble } from './ensemble.ts';

/** Feature rows for trying an ensemble, row-major `[rows, width]`. */
export interface EdgeRows {
  readonly rows: number;
  readonly width: number;
  readonly values: Float32Array | Float64Array;
}

const MIN_ROWS = 256;
const MAX_ROWS = 4096;

/** Limits the rows of a wide model. */
const MAX_NUMBERS = 2 ** 24;

/** Rare values, which go wrong first. */
const EXTREMES = [Number.NaN, 0, -0, 1e30, -1e30];

/**
 * Rows that expose differences between trees: each feature at its thresholds, just below and above them, at extremes and NaN,
 * and anywhere in between, independently of the others.
 *
 * @param random numbers from 0 to 1
 */
export function edgeRows({ nodes }: Ensemble, random: () => number): EdgeRows {
  const { features, thresholds, branches } = nodes;
  const width = features.reduce((most, feature) => Math.max(most, feature), 0) + 1;
  const byFeature = Array.from({ length: width }, () => new Set<number>());
  for (const [i, feature] of features.entries()) if (branches.less[i] !== i) byFeature[feature]?.add(thresholds[i] ?? 0);
  const pools = byFeature.map((pool) => [...pool].sort((a, b) => a - b));
  const wanted = pools.reduce((most, pool) => Math.max(most, pool.length * 4), MIN_ROWS);
  const rows = Math.min(MAX_ROWS, wanted, Math.ceil(MAX_NUMBERS / width));
  const values = thresholds instanceof Float64Array ? new Float64Array(rows * width) : new Float32Array(rows * width);
  const step = thresholds instanceof Float64Array ? 2 ** -52 : 2 ** -23;
  for (const [j, pool] of pools.entries()) {
    const [low = -1, high = 1] = [pool[0], pool.at(-1)];
    const start = Math.floor(random() * rows);
    for (let row = 0; row < rows; row += 1) {
      const threshold = pool[(row + start) % Math.max(1, pool.length)] ?? 0;
      const chance = random();
      values[row * width + j] =
        chance < 0.4
          ? threshold
          : chance < 0.6
            ? threshold + (chance < 0.5 ? 1 : -1) * Math.max(Math.abs(threshold) * step, 1e-30)
            : chance < 0.7
              ? (EXTREMES[Math.floor(random() * EXTREMES.length)] ?? 0)
              : low - 1 + random() * (high - low + 2);
    }
  }
  return { rows, width, values };
}

import type { ColumnBatch, ColumnValues, ReadKind } from '../../src/domain/column-batch.ts';
import { type Feature, featuresOf, type Signature } from '../../src/domain/signature.ts';

/** A cell as a table would hold it: null, number, text or truth value. */
export type Cell = number | string | boolean | null;

/** Where a feature has no range, numbers are within this. */
const OPEN_RANGE: readonly [number, number] = [-2, 1000];

/** A finite double that a float32 tensor cannot hold. */
const BEYOND_FLOAT32 = 1e300;

/**
 * Random rows of a model's features: most inside the ranges, and some at their edges, just outside, null (whether allowed or
 * not) and of unknown categories. Doubles have at most four decimals or are an edge, and none is -0, so that they survive as
 * text.
 *
 * @param random numbers from 0 to 1
 */
export function randomRows(signature: Signature, rows: number, random: () => number): Cell[][] {
  const features = featuresOf(signature);
  return Array.from({ length: rows }, () => {
    // Otherwise every row of a model with twenty features would have something wrong.
    const odd = random() < 0.3;
    return features.map(({ feature, dtype }) => cellOf(feature, dtype, odd, random));
  });
}

function cellOf(feature: Feature, dtype: string, odd: boolean, random: () => number): Cell {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  if (odd && random() < (feature.nullable ? 0.2 : 0.1)) return null;
  if (dtype === 'bool') return random() < 0.5;
  if (dtype === 'string') return odd && random() < 0.2 ? 'neither known nor seen' : pick(feature.categories ?? ['a', 'b']);
  const [low, high] = feature.range ?? OPEN_RANGE;
  const whole = dtype === 'int64';
  if (random() < 0.05) return whole ? Math.round(pick([low, high])) : pick([low, high]);
  if (odd && random() < 0.1) return pick([Math.floor(low) - 1, Math.ceil(high) + 1, ...(whole ? [] : [BEYOND_FLOAT32])]);
  const value = low + random() * (high - low);
  if (whole || random() < 0.3) return Math.min(Math.max(Math.round(value), Math.ceil(low)), Math.floor(high)) + 0;
  return Math.min(Math.max(Math.round(value * 1e4) / 1e4, low), high) + 0;
}

/** Cells by row, column by column. @param kinds of the model */
export function batchOfCells(cells: readonly (readonly Cell[])[], kinds: readonly ReadKind[]): ColumnBatch {
  const columns = kinds.map((kind, j) =>
    columnOf(
      cells.map((row) => row[j] ?? null),
      kind,
    ),
  );
  return { rows: cells.length, columns };
}

function columnOf(cells: readonly Cell[], kind: ReadKind): ColumnValues {
  if (kind === 'string') return { kind, values: cells.map((cell) => (cell === null ? null : String(cell))), valid: undefined };
  const valid = new Uint8Array(Math.ceil(cells.length / 8));
  for (const [row, cell] of cells.entries()) if (cell !== null) valid[row >> 3] = (valid[row >> 3] ?? 0) | (1 << (row & 7));
  const numbers = cells.map(Number);
  switch (kind) {
    case 'int64':
      return { kind, values: BigInt64Array.from(numbers, BigInt), valid };
    case 'bool':
      return { kind, values: Uint8Array.from(numbers), valid };
    case 'float32':
      return { kind, values: Float32Array.from(numbers), valid };
    case 'float64':
      return { kind, values: Float64Array.from(numbers), valid };
  }
}

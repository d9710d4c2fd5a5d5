import { childOf, type TreeLayout } from './tree-layout.ts';

/** Number of 32-bit words in a set of background rows. */
export const BACKGROUND_WORDS = 4;
const MAX_BACKGROUND = BACKGROUND_WORDS * 32;

/** Row-major rows with all features in signature order. A feature that no tree tests may have any value. */
export interface Matrix {
  readonly values: Float64Array;
  readonly rows: number;
  readonly width: number;
}

/** Per node, the background rows that pass all tests so far of the feature that its parent tests; all rows for a root. */
export function passingRows(
  { columns, thresholds, leads, sides, parents, earlier }: TreeLayout,
  background: Matrix,
): Int32Array {
  if (background.rows > MAX_BACKGROUND) throw new RangeError(`at most ${MAX_BACKGROUND} background rows`);
  const passing = new Int32Array(columns.length * BACKGROUND_WORDS);
  for (const [node, parent] of parents.entries()) {
    const before = earlier[node] as number;
    for (let row = 0; row < background.rows; row += 1) {
      const [word, bit] = [row >> 5, 1 << (row & 31)];
      if (before >= 0 && ((passing[before * BACKGROUND_WORDS + word] as number) & bit) === 0) continue;
      if (parent >= 0) {
        const value = background.values[row * background.width + (columns[parent] as number)] as number;
        if (childOf(leads[parent] as number, value, thresholds[parent] as number) !== sides[node]) continue;
      }
      passing[node * BACKGROUND_WORDS + word] = (passing[node * BACKGROUND_WORDS + word] as number) | bit;
    }
  }
  return passing;
}

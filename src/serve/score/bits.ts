import type { ColumnBatch } from '../../domain/column-batch.ts';
import { seededRandom } from '../../random.ts';
import type { BitComparison, Predictions } from '../online-model.ts';
import type { ModelRun } from './model-run.ts';

/** Sizes of runs at which kernels were seen to change how they sum, and some between them. */
const SIZES = [2, 3, 4, 6, 8, 10, 12, 14, 16, 30, 31, 62, 64];

/** Most golden rows that are compared, which bounds the time that a slow model takes to start. */
const MAX_ROWS = 64;

/** What a comparison of bits came to. */
interface Compared {
  readonly bits: BitComparison;
  /** Most rows of a run: the given ones, or fewer if larger runs have other bits. */
  readonly runRows: number;
}

/**
 * Scores rows alone and in runs of several sizes and orders, built as requests would be, and compares all bits. Kernels may change
 * at a size of some thousand rows (those of a linear classifier do, where a run has more than 16,384 values); then runs stay below
 * it, and their bits are the same.
 *
 * @param rows batches of one row
 * @param runRows largest size to try
 */
export async function compareBits({ run }: ModelRun, all: readonly ColumnBatch[], runRows: number): Promise<Compared> {
  const rows = all.slice(0, MAX_ROWS);
  const alone: Predictions[] = [];
  for (const row of rows) alone.push(await run([row]));
  const differenceAt = async (size: number): Promise<number> => {
    let largest = 0;
    for (const order of compositions(rows.length, size)) {
      const among = await run(order.map((row) => rows[row] as ColumnBatch));
      largest = Math.max(largest, largestDifference(alone, order, among));
    }
    return largest;
  };
  const small = [...new Set([...SIZES, rows.length])].filter((size) => size <= runRows).sort((a, b) => a - b);
  for (const size of small) {
    const largest = await differenceAt(size);
    if (largest > 0) return { bits: { same: false, largest, rows: size }, runRows };
  }
  let most = Math.min(runRows, SIZES.at(-1) ?? 2);
  while (most < runRows) {
    const size = Math.min(most * 2, runRows);
    const largest = await differenceAt(size);
    if (largest > 0) return { bits: { same: true, largest, rows: size }, runRows: most };
    most = size;
  }
  return { bits: { same: true, largest: 0, rows: 0 }, runRows };
}

/** Orders of rows in runs of one size: each row at least once, forwards and backwards, and rows picked at random. */
function* compositions(rows: number, size: number): Generator<number[]> {
  const at = (start: number, step: 1 | -1) =>
    Array.from({ length: size }, (_, i) => (((start + step * i) % rows) + rows) % rows);
  for (let start = 0; start < rows; start += size) yield at(start, 1);
  for (let start = rows - 1; start >= 0; start -= size) yield at(start, -1);
  const random = seededRandom(size);
  yield Array.from({ length: size }, () => Math.floor(random() * rows));
}

function largestDifference(alone: readonly Predictions[], order: readonly number[], among: Predictions): number {
  const { values, width, labels, rejected } = among;
  let largest = 0;
  for (const [position, row] of order.entries()) {
    const expected = alone[row] as Predictions;
    if (labels?.[position] !== expected.labels?.[0] || rejected[position] !== expected.rejected[0]) return Infinity;
    for (let j = 0; j < width; j += 1) {
      const [before = 0, after = 0] = [expected.values[j], values[position * width + j]];
      if (Object.is(before, after)) continue;
      const difference = Math.abs(before - after);
      // Zeros of both signs differ by 0, and are not the same bits.
      largest = Math.max(largest, Number.isNaN(difference) ? Infinity : difference || Number.MIN_VALUE);
    }
  }
  return largest;
}

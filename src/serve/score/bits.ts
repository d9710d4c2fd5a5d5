import type { ColumnBatch } from '../../domain/column-batch.ts';
import { ScoreBatchError } from '../../errors.ts';
import type { ModelRun } from '../../model/model-run.ts';
import type { Predictions } from '../../model/predictions.ts';
import { seededRandom } from '../../random.ts';
import type { BitComparison } from '../online-model.ts';

/** Run sizes at which kernels were seen to change their order of summation, and some between them. */
const SIZES = [2, 3, 4, 6, 8, 10, 12, 14, 16, 30, 31, 62, 64];

/** How far other rows in a run may move a value, absolutely: values are probabilities. */
const PROMISED = 1e-6;

/** Most golden rows to compare, which bounds the start time of a slow model. */
const MAX_ROWS = 64;

/** Result of a comparison of bits. */
interface Compared {
  readonly bits: BitComparison;
  /** Most rows per run: as given, or fewer if larger runs have other bits. */
  readonly runRows: number;
}

/**
 * Scores rows alone and in runs of several sizes and orders, built as for requests, and compares all bits. Kernels may change
 * at a size of some thousand rows (a linear classifier's does above 16,384 values per run); then runs stay below it, and bits
 * are the same. If even small runs differ, runs stay below the size that would break the promise of 1e-6.
 *
 * @param all batches of one row
 * @param runRows largest size to try
 * @param file of the model, for the message
 * @throws ScoreBatchError `configuration` if small runs differ by more than 1e-6, in a label, or in which rows are rejected
 */
export async function compareBits(
  { run }: ModelRun,
  all: readonly ColumnBatch[],
  runRows: number,
  file: string,
): Promise<Compared> {
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
  let [largest, at] = [0, 0];
  for (const size of small) {
    const difference = await differenceAt(size);
    if (difference > PROMISED) throw dependentRowsError(file, difference, size);
    if (difference > largest) [largest, at] = [difference, size];
  }
  const same = largest === 0;
  let most = Math.min(runRows, SIZES.at(-1) ?? 2);
  while (most < runRows) {
    const size = Math.min(most * 2, runRows);
    const difference = await differenceAt(size);
    if (same && difference > 0) return { bits: { same, largest: difference, rows: size }, runRows: most };
    if (difference > PROMISED) break;
    if (difference > largest) [largest, at] = [difference, size];
    most = size;
  }
  return { bits: { same, largest, rows: at }, runRows: most };
}

function dependentRowsError(file: string, difference: number, size: number): ScoreBatchError {
  const how = Number.isFinite(difference)
    ? `by ${Number(difference.toPrecision(2))}, more than the promised 1e-6`
    : 'in its label or in whether it is rejected';
  const message = `${file} cannot be served: the score of a row depends on other rows of its batch`;
  return new ScoreBatchError('configuration', message, {
    details: [`a golden row scored alone and in a run of ${size} rows differs ${how}`],
    hint: 'export the model for inference, without computations across the rows of a batch: a mean over axis 0, batch statistics, dynamic quantization',
  });
}

/** Orders of rows for runs of one size: each row at least once, forwards and backwards, and rows picked at random. */
function* compositions(rows: number, size: number): Generator<number[]> {
  const at = (start: number, step: 1 | -1) =>
    Array.from({ length: size }, (_, i) => (((start + step * i) % rows) + rows) % rows);
  for (let start = 0; start < rows; start += size) yield at(start, 1);
  for (let start = rows - 1; start >= 0; start -= size) yield at(start, -1);
  const random = seededRandom(size);
  yield Array.from({ length: size }, () => Math.floor(random() * rows));
}

/** @returns infinity if a label differs, or whether a row is rejected */
function largestDifference(alone: readonly Predictions[], order: readonly number[], among: Predictions): number {
  const { values, width, labels, rejected } = among;
  let largest = 0;
  for (const [position, row] of order.entries()) {
    const expected = alone[row] as Predictions;
    if (rejected[position] !== expected.rejected[0]) return Infinity;
    // The output for a rejected row is never sent.
    if (rejected[position] !== 0) continue;
    if (labels?.[position] !== expected.labels?.[0]) return Infinity;
    for (let j = 0; j < width; j += 1) {
      const [before = 0, after = 0] = [expected.values[j], values[position * width + j]];
      if (Object.is(before, after)) continue;
      // 0 and -0 differ by 0, but not in the same bits.
      largest = Math.max(largest, Math.abs(before - after) || Number.MIN_VALUE);
    }
  }
  return largest;
}

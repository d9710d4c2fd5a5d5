import type { Predictions } from '../../../src/model/predictions.ts';
import { seededRandom } from '../../../src/random.ts';
import type { OnlineModel } from '../../../src/serve/online-model.ts';
import { batchOfCells, type Cell, randomRows } from '../random-batch.ts';

/** A request with these rows. */
export function requestOf(model: OnlineModel, cells: readonly (readonly Cell[])[]) {
  return { batch: batchOfCells(cells, model.kinds) };
}

export function randomCells(model: OnlineModel, rows: number, seed: number): Cell[][] {
  return randomRows(model.bundle.signature, rows, seededRandom(seed));
}

/** One row of predictions with everything that a client can see, bits included. */
function rowOf({ values, width, labels, rejected }: Predictions, row: number): readonly unknown[] {
  return [rejected[row], labels?.[row], ...bytesOf(values, row * width, width)];
}

/** All rows of predictions. */
export function rowsOf(predictions: Predictions): (readonly unknown[])[] {
  return Array.from({ length: predictions.rows }, (_, row) => rowOf(predictions, row));
}

function bytesOf(values: Predictions['values'], from: number, count: number): Uint8Array {
  return new Uint8Array(values.slice(from, from + count).buffer);
}

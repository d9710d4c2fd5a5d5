import type { ColumnBatch, ReadKind } from '../domain/column-batch.ts';
import { fixedBatch } from '../domain/model-metadata.ts';
import type { Signature } from '../domain/signature.ts';
import { createEncoder } from '../features/encoder.ts';
import { batchOf } from '../runtime/batches.ts';
import type { InputTensor, OutputTensor, Session } from '../runtime/session.ts';
import { joinOutputs, type Predictions, readPredictions } from './predictions.ts';

/** Encoder and session of a model, for one run at a time. */
export interface ModelRun {
  /** The kind that each feature's column must have. */
  readonly kinds: readonly ReadKind[];
  /** Runs are padded to a multiple of this many rows. */
  readonly multiple: number;
  /**
   * Scores the rows of all batches in one run, in order. Wait for the last call to settle before calling again: all runs share
   * the tensors' memory.
   *
   * @throws ScoreBatchError as `Session.run`
   */
  run(batches: readonly ColumnBatch[]): Promise<Predictions>;
}

interface ModelRunOptions {
  /** Most rows per call of the model. The event loop gets a turn between two calls. */
  readonly callRows?: number;
  /** Rows to allocate memory for at the start; it grows with the first run that needs more. */
  readonly capacity?: number;
}

/**
 * Runs are padded to an even number of rows: kernels add in another order for the last odd row, so its bits would depend on how
 * many rows came with it. A model with a fixed batch size runs in batches of that size.
 */
export function createModelRun(
  session: Session,
  signature: Signature,
  { callRows = Number.POSITIVE_INFINITY, capacity: first = 64 }: ModelRunOptions = {},
): ModelRun {
  const fixed = fixedBatch(session.metadata);
  const multiple = fixed ?? 2;
  const { classes, output } = signature;
  const names = [output.name, ...(classes?.label === undefined ? [] : [classes.label])];
  let capacity = Math.ceil(first / multiple) * multiple;
  let encoder = createEncoder(signature, [], capacity);

  async function outputsOf(inputs: readonly InputTensor[], size: number): Promise<readonly OutputTensor[]> {
    const most = fixed ?? callRows;
    if (size <= most) return await session.runOutputs(inputs, names);
    const parts: (readonly OutputTensor[])[] = [];
    for (let from = 0; from < size; from += most) {
      const count = Math.min(most, size - from);
      parts.push(await session.runOutputs(batchOf(inputs, from, count, count), names));
    }
    return joinOutputs(parts);
  }

  return {
    kinds: encoder.kinds,
    multiple,
    async run(batches) {
      const rows = batches.reduce((sum, batch) => sum + batch.rows, 0);
      const size = Math.ceil(rows / multiple) * multiple;
      if (size > capacity) {
        while (capacity < size) capacity *= 2;
        encoder = createEncoder(signature, [], capacity);
      }
      const rejected = new Int32Array(rows);
      let from = 0;
      for (const batch of batches) {
        encoder.encode(batch, from, rejected.subarray(from, from + batch.rows));
        from += batch.rows;
      }
      const inputs = encoder.tensors(size);
      for (const input of inputs) repeatLastRow(input, rows);
      return readPredictions(await outputsOf(inputs, size), { signature, rows, size, rejected });
    },
  };
}

/** Writes row `rows - 1` over all later ones. The model accepts its values, whether or not it was rejected. */
function repeatLastRow(
  { values, shape: [size, width] }: { values: InputTensor['values']; shape: [number, number] },
  rows: number,
): void {
  for (let row = rows; row < size; row += 1) values.copyWithin(row * width, (rows - 1) * width, rows * width);
}

import { ServeFailure } from '../failure.ts';
import type { OnlineModel } from '../online-model.ts';
import { elementsOf } from './raw.ts';

/** Checks the next tensor of a request. */
export type CheckSize = (name: string, shape: readonly number[]) => void;

/**
 * Checks the shapes of one request, each before its tensor's elements are read: millions of strings, or of integers as varints,
 * fit into a few megabytes, and take a second to read. All tensors together may have one element per feature and row, and one
 * per lookup key and row.
 *
 * @returns a function that throws ServeFailure `too large`, or `invalid` for an invalid shape
 */
export function sizeCheck(model: Pick<OnlineModel, 'maxRows' | 'kinds'> & Partial<Pick<OnlineModel, 'features'>>): CheckSize {
  const most = model.maxRows * (model.kinds.length + (model.features?.keys.length ?? 0));
  let elements = 0;
  return (name, shape) => {
    elements += elementsOf(name, shape);
    refuseRows(shape[0] ?? 0, model.maxRows);
    if (elements <= most) return;
    throw new ServeFailure('too large', `the inputs have more than ${most} elements`, {
      hint: `send at most ${model.maxRows} rows of ${model.kinds.length} features in a request`,
    });
  };
}

/** @throws ServeFailure `too large` */
export function refuseRows(rows: number, maxRows: number): void {
  if (rows <= maxRows) return;
  throw new ServeFailure('too large', `the request has ${rows} rows, but at most ${maxRows} are accepted`, {
    hint: `send at most ${maxRows} rows in a request`,
  });
}

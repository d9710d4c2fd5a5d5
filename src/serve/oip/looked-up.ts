import type { ColumnBatch, ColumnValues } from '../../domain/column-batch.ts';
import { featuresOf } from '../../domain/signature.ts';
import { createCells } from '../cells.ts';
import { ServeFailure } from '../failure.ts';
import type { FeatureLookup, KeyValue, LookupRequest } from '../feature-lookup.ts';
import { readKey } from '../lookup-key.ts';
import type { OnlineModel } from '../online-model.ts';
import type { InferTensor } from './tensor.ts';

/** Columns from a request's tensors; undefined for a feature to look up. */
export interface TensorColumns {
  readonly rows: number;
  readonly columns: readonly (ColumnValues | undefined)[];
}

interface Lookup extends Pick<LookupRequest, 'deadline' | 'signal'> {
  /** Tensors of the request, those of keys included. */
  readonly tensors: readonly InferTensor[];
  /** Most characters of a string. */
  readonly text: number;
}

/**
 * Looks up the columns that no tensor holds, by the tensors of the keys.
 *
 * @throws ServeFailure `invalid` if a key is missing or of another type, otherwise as `FeatureLookup.find` does
 */
export async function withLookedUp(model: OnlineModel, { rows, columns }: TensorColumns, lookup: Lookup): Promise<ColumnBatch> {
  const { features: store } = model;
  const lacking = columns.flatMap((column, position) => (column === undefined ? [position] : []));
  if (store === undefined || lacking.length === 0) return { rows, columns: columns as readonly ColumnValues[] };
  const { tensors, text, deadline, signal } = lookup;
  const found = await store.find({ keys: keysOf(store, tensors, { rows, text }), deadline, signal });
  const features = featuresOf(model.bundle.signature).filter((_, position) => lacking.includes(position));
  const cells = createCells({ features, rows, text });
  for (const [i, position] of lacking.entries())
    for (const [row, value] of (found.get(position) ?? []).entries()) cells.put(i, row, value);
  const made = cells.batch().columns;
  return { rows, columns: columns.map((column, position) => column ?? (made[lacking.indexOf(position)] as ColumnValues)) };
}

function keysOf(
  { keys }: FeatureLookup,
  tensors: readonly InferTensor[],
  { rows, text }: { readonly rows: number; readonly text: number },
): KeyValue[][] {
  const columns = keys.map((key) => {
    const tensor = tensors.find(({ name }) => name === key.name);
    if (tensor === undefined) {
      throw new ServeFailure('invalid', `${key.name} is missing`, {
        hint: `send a tensor ${key.name} [${rows}] to look up the features, or a tensor for each feature`,
      });
    }
    const { datatype, data } = tensor;
    if (datatype !== 'BYTES' && !/^U?INT/.test(datatype)) {
      throw new ServeFailure('invalid', `${key.name} has datatype ${datatype}`, { hint: 'send BYTES, INT* or UINT*' });
    }
    return Array.from({ length: rows }, (_, row) => {
      const read = readKey(key, data[row], text);
      if ('problem' in read) throw new ServeFailure('invalid', `element ${row} of ${key.name} ${read.problem}`);
      return read.value;
    });
  });
  return Array.from({ length: rows }, (_, row) => columns.map((column) => column[row] as KeyValue));
}

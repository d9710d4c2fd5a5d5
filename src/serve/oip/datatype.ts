import type { InputDtype } from '../../domain/signature.ts';
import { ServeFailure } from '../failure.ts';
import { shown } from '../shown.ts';

/** Supported tensor datatypes of the Open Inference Protocol: all but FP16 and BF16. */
const DATATYPES = [
  'BOOL',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FP32',
  'FP64',
  'BYTES',
] as const;
export type Datatype = (typeof DATATYPES)[number];

/** Bytes per element; undefined for BYTES, whose elements each have a length. */
export const ELEMENT_BYTES: Readonly<Record<Datatype, number | undefined>> = {
  BOOL: 1,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP32: 4,
  FP64: 8,
  BYTES: undefined,
};

/** The datatype that corresponds to a model's element type. */
export const DATATYPE_OF: Readonly<Record<InputDtype, Datatype>> = {
  float32: 'FP32',
  float64: 'FP64',
  int64: 'INT64',
  bool: 'BOOL',
  string: 'BYTES',
};

/**
 * @param tensor name of the tensor, for the message
 * @throws ServeFailure `invalid`
 */
export function readDatatype(given: unknown, tensor: string): Datatype {
  const found = DATATYPES.find((datatype) => datatype === given);
  if (found !== undefined) return found;
  if (given === 'FP16' || given === 'BF16') {
    throw new ServeFailure('invalid', `${shown(tensor)} has datatype ${given}, which is not supported`, { hint: 'send FP32' });
  }
  const what = typeof given === 'string' ? `has an unknown datatype ${shown(given)}` : 'has no datatype';
  throw new ServeFailure('invalid', `${shown(tensor)} ${what}`, { hint: `choose from ${DATATYPES.join(', ')}` });
}

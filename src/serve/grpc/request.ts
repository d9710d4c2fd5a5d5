import { ServeFailure } from '../failure.ts';
import { readDatatype } from '../oip/datatype.ts';
import { readRaw } from '../oip/raw.ts';
import type { CheckSize } from '../oip/sizes.ts';
import type { InferRequest, InferTensor } from '../oip/tensor.ts';
import { shown } from '../shown.ts';
import { readContents } from './contents.ts';
import type { RequestMessage, TensorMessage } from './message.ts';

/** Whether a request has raw contents; the answer then has, too. */
export function isRaw({ raw }: RequestMessage): boolean {
  return raw.length > 0;
}

/**
 * The tensors of a request, from raw or typed contents.
 *
 * @throws ServeFailure `invalid` if it has both, or contents do not match their shape and datatype; `too large` if anything in
 * it exceeds what the model accepts
 */
export function toInferRequest(message: RequestMessage, checkSize: CheckSize): InferRequest {
  const { id, parameters, inputs, outputs, raw } = message;
  if (isRaw(message) && raw.length !== inputs.length) {
    throw new ServeFailure('invalid', `there are ${raw.length} raw_input_contents for ${inputs.length} inputs`);
  }
  return {
    id: id === '' ? undefined : id,
    parameters,
    inputs: inputs.map((input, at) => {
      checkSize(input.name, input.shape);
      return toTensor(input, raw[at]);
    }),
    outputs,
  };
}

function toTensor({ name, datatype: given, shape, contents }: TensorMessage, raw: Buffer | undefined): InferTensor {
  const datatype = readDatatype(given, name);
  const tensor = { name, datatype, shape };
  if (raw === undefined) return { ...tensor, data: readContents(tensor, contents ?? Buffer.alloc(0)) };
  // Some clients set an empty message beside raw contents.
  if (contents !== undefined && contents.length > 0) {
    throw new ServeFailure('invalid', `${shown(name)} has both contents and raw_input_contents`, {
      hint: 'send one of the two',
    });
  }
  return { ...tensor, data: readRaw(tensor, raw) };
}

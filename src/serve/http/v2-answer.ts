import { ServeFailure } from '../failure.ts';
import { jsonNumber } from '../json.ts';
import { writeRaw } from '../oip/raw.ts';
import type { InferAnswer, InferRequest, OutputTensor } from '../oip/tensor.ts';

/** The body of a v2 answer. */
export interface V2Answer {
  readonly body: string | Buffer;
  /** Bytes of JSON before the binary part; undefined if there is none. */
  readonly jsonLength: number | undefined;
}

/**
 * Which outputs are sent as binary: those whose `binary_data` says so, or all if the request's `binary_data_output` does and
 * their own does not object.
 *
 * @returns whether an output is binary, by its name
 * @throws ServeFailure `invalid` if a parameter is not a boolean
 */
export function binaryOutputs({ parameters, outputs = [] }: InferRequest): (name: string) => boolean {
  const all = flag(parameters.binary_data_output, 'binary_data_output') ?? false;
  const named = new Map(outputs.map((output) => [output.name, flag(output.parameters.binary_data, 'binary_data')]));
  return (name) => named.get(name) ?? all;
}

function flag(value: unknown, name: string): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  throw new ServeFailure('invalid', `the parameter ${name} must be true or false`);
}

/** Writes JSON by hand: no intermediate objects, and every number is the exact double of its float. */
export function writeAnswer({ model, id, outputs }: InferAnswer, isBinary: (name: string) => boolean): V2Answer {
  const parts: Buffer[] = [];
  const tensors = outputs.map((output) => {
    const { name, datatype, shape, data } = output;
    const head = `{"name":${JSON.stringify(name)},"shape":[${shape.join(',')}],"datatype":"${datatype}"`;
    if (!isBinary(name)) return `${head},"data":${jsonData(data)}}`;
    const bytes = writeRaw(output);
    parts.push(bytes);
    return `${head},"parameters":{"binary_data_size":${bytes.length}}}`;
  });
  const names = `"model_name":${JSON.stringify(model.name)},"model_version":${JSON.stringify(model.version)}`;
  const json = `{${names},${id === undefined ? '' : `"id":${JSON.stringify(id)},`}"outputs":[${tensors.join(',')}]}`;
  if (parts.length === 0) return { body: json, jsonLength: undefined };
  const start = Buffer.from(json);
  return { body: Buffer.concat([start, ...parts]), jsonLength: start.length };
}

function jsonData(data: OutputTensor['data']): string {
  if (!(data instanceof Float32Array || data instanceof Float64Array)) return JSON.stringify(data);
  let text = '[';
  for (let i = 0; i < data.length; i += 1) text += (i === 0 ? '' : ',') + jsonNumber(data[i] as number);
  return `${text}]`;
}

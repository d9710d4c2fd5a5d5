import { expect } from 'vitest';
import { type Answer, ask } from './ask.ts';

// A client of the Open Inference Protocol of the tests' own, which shares nothing with the server.

/** A tensor to send: `data` goes into the JSON, `bytes` behind it. */
export interface Input {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data?: unknown;
  readonly bytes?: Buffer;
}

interface Output {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data?: readonly unknown[];
  readonly parameters?: { readonly binary_data_size: number };
  /** Its binary part. */
  readonly bytes?: Buffer;
}

export interface Inferred {
  readonly model_name: string;
  readonly model_version: string;
  readonly id?: string;
  readonly outputs: readonly Output[];
}

/** A body, and the headers that it needs. @param rest further keys of the request */
export function bodyOf(inputs: readonly Input[], rest: object = {}): { body: Buffer; headers: Record<string, string> } {
  const tensors = inputs.map(({ bytes, ...input }) => ({
    ...input,
    ...(bytes && { parameters: { binary_data_size: bytes.length } }),
  }));
  const json = Buffer.from(JSON.stringify({ inputs: tensors, ...rest }));
  const parts = inputs.flatMap(({ bytes }) => bytes ?? []);
  if (parts.length === 0) return { body: json, headers: {} };
  return { body: Buffer.concat([json, ...parts]), headers: { 'inference-header-content-length': String(json.length) } };
}

export function inferAt(http: string, model: string, inputs: readonly Input[], rest: object = {}): Promise<Answer> {
  return ask(`${http}/v2/models/${model}/infer`, bodyOf(inputs, rest));
}

/** The outputs of an answer, each with its binary part if it has one. */
export function read({ status, headers, body }: Answer): Inferred {
  expect(status, body.toString()).toBe(200);
  const length = headers['inference-header-content-length'];
  if (length === undefined) {
    expect(headers['content-type']).toMatch(/^application\/json/);
    return JSON.parse(body.toString()) as Inferred;
  }
  expect(headers['content-type']).toBe('application/octet-stream');
  let at = Number(length);
  const json = JSON.parse(body.subarray(0, at).toString()) as Inferred;
  const outputs = json.outputs.map((output) => {
    const size = output.parameters?.binary_data_size;
    if (size === undefined) return output;
    at += size;
    return { ...output, bytes: body.subarray(at - size, at) };
  });
  expect(at).toBe(body.length);
  return { ...json, outputs };
}

/** The elements of an output that came as JSON. */
export function dataOf({ outputs }: Inferred, name: string): readonly unknown[] {
  const data = outputs.find((one) => one.name === name)?.data;
  if (data === undefined) throw new Error(`there is no JSON of ${name}`);
  return data;
}

/** The bytes of an output, whichever way it came: null is NaN. */
export function bytesOf({ outputs }: Inferred, name: string): Buffer {
  const output = outputs.find((one) => one.name === name);
  if (output === undefined) throw new Error(`there is no output ${name}`);
  if (output.bytes !== undefined) return output.bytes;
  if (output.datatype === 'BYTES') return textBytes(output.data as string[]);
  const numbers = (output.data as (number | null)[]).map((element) => element ?? Number.NaN);
  const array = output.datatype === 'FP32' ? Float32Array.from(numbers) : Float64Array.from(numbers);
  // A number of an FP32 output is a float already: no rounding happened here.
  expect([...array]).toEqual(numbers);
  return Buffer.from(array.buffer);
}

/** BYTES in the binary form. */
export function textBytes(texts: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(
    texts.flatMap((text) => {
      const bytes = Buffer.from(text);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return [length, bytes];
    }),
  );
}

export function bytesOfArray(array: Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

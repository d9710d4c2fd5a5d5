import { ServeFailure } from '../failure.ts';
import { parseJson } from '../json.ts';
import { readDatatype } from '../oip/datatype.ts';
import { readRaw } from '../oip/raw.ts';
import { type CheckSize, sizeCheck } from '../oip/sizes.ts';
import type { InferRequest, InferTensor, Parameters, RequestedOutput } from '../oip/tensor.ts';
import type { OnlineModel } from '../online-model.ts';
import { shown } from '../shown.ts';
import { readData } from './v2-data.ts';

type JsonObject = Readonly<Record<string, unknown>>;

interface RequestOptions {
  readonly model: OnlineModel;
  /** The header `Inference-Header-Content-Length`: length of the JSON in bytes; undefined if the whole body is JSON. */
  readonly jsonLength: string | undefined;
}

/** What tensors are read from, one after another. */
interface Source {
  readonly checkSize: CheckSize;
  /** The binary part of the body. */
  readonly bytes: Buffer;
  /** Bytes already assigned to tensors. */
  taken: number;
}

const PARSING = {
  insteadOfNaN: 'send the tensor in binary',
  fewer: 'send the data of a tensor flat, or in binary',
} as const;

/**
 * Reads the body of an inference request: JSON, followed by the bytes of tensors with a `binary_data_size`.
 *
 * @throws ServeFailure `invalid`, or `too large` if it holds more than the model accepts
 */
export function readRequest(body: Buffer, { model, jsonLength }: RequestOptions): InferRequest {
  const length = jsonLength === undefined ? body.length : readLength(jsonLength, body.length);
  const json = objectOf(parseJson(body.subarray(0, length), { model, ...PARSING }), 'the body');
  const source: Source = { checkSize: sizeCheck(model), bytes: body.subarray(length), taken: 0 };
  // Clients that write every key of the protocol write null for absent ones.
  const { id = null, inputs, outputs = null } = json;
  if (id !== null && typeof id !== 'string') throw new ServeFailure('invalid', 'id is not a string');
  const request = {
    id: id ?? undefined,
    parameters: parametersOf(json, 'the request'),
    inputs: listOf(inputs, 'inputs').map((input, at) => readInput(objectOf(input, `inputs[${at}]`), at, source)),
    outputs: outputs === null ? undefined : listOf(outputs, 'outputs').map(readOutput),
  };
  const left = source.bytes.length - source.taken;
  if (left > 0) throw new ServeFailure('invalid', `${left} bytes of the binary part belong to no tensor`);
  return request;
}

function readLength(text: string, most: number): number {
  const length = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (length <= most) return length;
  const why = Number.isNaN(length) ? 'is not a number of bytes' : `is ${length}, but the body has ${most} bytes`;
  throw new ServeFailure('invalid', `Inference-Header-Content-Length ${why}`);
}

function readInput(input: JsonObject, at: number, source: Source): InferTensor {
  const name = nameOf(input, `inputs[${at}]`);
  const datatype = readDatatype(input.datatype, name);
  const head = { name, datatype, shape: readShape(input.shape, name, source.checkSize) };
  const parameters = parametersOf(input, shown(name));
  const { data = null } = input;
  if (!Object.hasOwn(parameters, 'binary_data_size')) {
    if (data !== null) return { ...head, data: readData(head, data) };
    throw new ServeFailure('invalid', `${shown(name)} has neither data nor binary_data_size`);
  }
  if (data !== null) throw new ServeFailure('invalid', `${shown(name)} has both data and binary_data_size`);
  return { ...head, data: readRaw(head, take(source, parameters.binary_data_size, name)) };
}

function take(source: Source, size: unknown, name: string): Buffer {
  const left = source.bytes.length - source.taken;
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw new ServeFailure('invalid', `binary_data_size of ${shown(name)} is not a number of bytes`);
  }
  if (size > left) {
    throw new ServeFailure('invalid', `binary_data_size of ${shown(name)} is ${size}; the binary part has ${left} bytes left`, {
      hint: 'check the header Inference-Header-Content-Length: it says where the JSON ends and the binary part begins',
    });
  }
  source.taken += size;
  return source.bytes.subarray(source.taken - size, source.taken);
}

function readShape(shape: unknown, name: string, checkSize: CheckSize): readonly number[] {
  if (!Array.isArray(shape) || !shape.every((size) => typeof size === 'number')) {
    throw new ServeFailure('invalid', `${shown(name)} has a shape that is not a list of sizes`);
  }
  checkSize(name, shape);
  return shape;
}

function readOutput(output: unknown, at: number): RequestedOutput {
  const json = objectOf(output, `outputs[${at}]`);
  return { name: nameOf(json, `outputs[${at}]`), parameters: parametersOf(json, `outputs[${at}]`) };
}

function nameOf({ name }: JsonObject, where: string): string {
  if (typeof name === 'string') return name;
  throw new ServeFailure('invalid', `${where} has no name`);
}

function parametersOf(json: JsonObject, where: string): Parameters {
  const { parameters = null } = json;
  return parameters === null ? {} : objectOf(parameters, `parameters of ${where}`);
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new ServeFailure('invalid', `${what} is not a list`);
}

function objectOf(value: unknown, what: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new ServeFailure('invalid', `${what} is not an object`);
}

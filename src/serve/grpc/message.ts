import { ServeFailure } from '../failure.ts';
import {
  advance,
  BYTES,
  type Cursor,
  cursorOf,
  FIXED64,
  readBytes,
  readFields,
  readText,
  readVarint,
  signedNumber,
  unsignedNumber,
  VARINT,
} from './wire.ts';

/** Tensors, requested outputs and parameters of one request, each. More features than any model has. */
const MOST = 10_000;

/** Dimensions of a tensor. */
const MOST_DIMENSIONS = 16;

type ParameterValue = boolean | number | string;

/** Parameters of a request, a tensor or a requested output. */
type Parameters = Readonly<Record<string, ParameterValue>>;

/** An input tensor whose typed contents are not read yet. */
export interface TensorMessage {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly parameters: Parameters;
  /** The InferTensorContents; undefined if there are none. */
  readonly contents: Buffer | undefined;
}

/** A ModelInferRequest. */
export interface RequestMessage {
  readonly name: string;
  /** Empty: the server chooses. */
  readonly version: string;
  readonly id: string;
  readonly parameters: Parameters;
  readonly inputs: readonly TensorMessage[];
  readonly outputs: readonly { readonly name: string; readonly parameters: Parameters }[];
  readonly raw: readonly Buffer[];
}

/** Takes the value of one field. */
type Take = (cursor: Cursor) => void;

/**
 * Reads a ModelInferRequest.
 *
 * @throws ServeFailure `invalid` if it is malformed, `too large` if it has more of anything than a model can have
 */
export function readRequest(bytes: Buffer): RequestMessage {
  let [name, version, id] = ['', '', ''];
  const parameters = parameterReader();
  const inputs: TensorMessage[] = [];
  const outputs: RequestMessage['outputs'][number][] = [];
  const raw: Buffer[] = [];
  readDelimited(bytes, {
    1: (cursor) => {
      name = readText(cursor, 'the name of the model');
    },
    2: (cursor) => {
      version = readText(cursor, 'the version of the model');
    },
    3: (cursor) => {
      id = readText(cursor, 'the id');
    },
    4: parameters.take,
    5: (cursor) => push(inputs, readTensor(readBytes(cursor)), 'inputs'),
    6: (cursor) => push(outputs, readOutput(readBytes(cursor)), 'outputs'),
    7: (cursor) => push(raw, readBytes(cursor), 'raw_input_contents'),
  });
  return { name, version, id, parameters: parameters.read(), inputs, outputs, raw };
}

function readTensor(bytes: Buffer): TensorMessage {
  let [name, datatype] = ['', ''];
  let contents: Buffer | undefined;
  const shape: number[] = [];
  const parameters = parameterReader();
  const dimension = (cursor: Cursor) => {
    readVarint(cursor);
    push(shape, signedNumber(cursor), 'dimensions', MOST_DIMENSIONS);
  };
  const takes = {
    1: (cursor: Cursor) => {
      name = readText(cursor, 'the name of an input');
    },
    2: (cursor: Cursor) => {
      datatype = readText(cursor, 'a datatype');
    },
    3: (cursor: Cursor) => {
      const packed = cursorOf(readBytes(cursor));
      while (packed.at < packed.bytes.length) dimension(packed);
    },
    4: parameters.take,
    5: (cursor: Cursor) => {
      // A message that comes in parts is the parts one after another.
      const part = readBytes(cursor);
      contents = contents === undefined ? part : Buffer.concat([contents, part]);
    },
  };
  readDelimited(bytes, takes, (field, wire) => (field === 3 && wire === VARINT ? dimension : undefined));
  return { name, datatype, shape, parameters: parameters.read(), contents };
}

function readOutput(bytes: Buffer): RequestMessage['outputs'][number] {
  let name = '';
  const parameters = parameterReader();
  readDelimited(bytes, {
    1: (cursor) => {
      name = readText(cursor, 'the name of an output');
    },
    2: parameters.take,
  });
  return { name, parameters: parameters.read() };
}

/** Reads the entries of a map of parameters. */
function parameterReader(): { take: Take; read(): Parameters } {
  const found: [string, ParameterValue][] = [];
  return {
    take(cursor) {
      let [key, value]: [string, ParameterValue] = ['', ''];
      readDelimited(readBytes(cursor), {
        1: (entry) => {
          key = readText(entry, 'the name of a parameter');
        },
        2: (entry) => {
          value = readParameter(readBytes(entry));
        },
      });
      push(found, [key, value], 'parameters');
    },
    read: () => Object.fromEntries(found),
  };
}

function readParameter(bytes: Buffer): ParameterValue {
  let value: ParameterValue = '';
  readFields(bytes, (field, wire, cursor) => {
    if (wire === VARINT && (field === 1 || field === 2 || field === 5)) {
      readVarint(cursor);
      if (field === 1) value = unsignedNumber(cursor) !== 0;
      else value = field === 2 ? signedNumber(cursor) : unsignedNumber(cursor);
    } else if (field === 3 && wire === BYTES) value = readText(cursor, 'a parameter');
    else if (field === 4 && wire === FIXED64) value = bytes.readDoubleLE(advance(cursor, 8));
    else return false;
    return true;
  });
  return value;
}

/** Reads a message most of whose fields are length-delimited. @param other what takes a field of another type */
function readDelimited(
  bytes: Buffer,
  takes: Readonly<Record<number, Take>>,
  other: (field: number, wire: number) => Take | undefined = () => undefined,
): void {
  readFields(bytes, (field, wire, cursor) => {
    const take = wire === BYTES ? takes[field] : other(field, wire);
    take?.(cursor);
    return take !== undefined;
  });
}

function push<T>(list: T[], item: T, what: string, most = MOST): void {
  if (list.length === most) throw new ServeFailure('too large', `the request has more than ${most} ${what}`);
  list.push(item);
}

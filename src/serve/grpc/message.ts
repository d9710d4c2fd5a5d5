import { ServeFailure } from '../failure.ts';
import {
  advance,
  BYTES,
  bytesAt,
  type Cursor,
  FIXED64,
  readBytes,
  readFields,
  readPacked,
  readVarint,
  signedNumber,
  skipBytes,
  textAt,
  unsignedNumber,
  VARINT,
} from './wire.ts';

/** Most tensors, requested outputs, and parameters of one request each; no model has this many features. */
const MOST = 10_000;

/** Most parts of a tensor's contents. Protocol Buffers allow several, but nobody sends more than one. */
const MOST_PARTS = 64;

/** Most dimensions of a tensor. */
const MOST_DIMENSIONS = 16;

type ParameterValue = boolean | number | string;

/** Parameters of a request, a tensor or a requested output. */
type Parameters = Readonly<Record<string, ParameterValue>>;

/** An input tensor with its typed contents still undecoded. */
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
  /** Empty to let the server choose. */
  readonly version: string;
  readonly id: string;
  readonly parameters: Parameters;
  readonly inputs: readonly TensorMessage[];
  readonly outputs: readonly { readonly name: string; readonly parameters: Parameters }[];
  readonly raw: readonly Buffer[];
}

/** Consumes the value of one field. */
type Take = (cursor: Cursor) => void;

/** Counts one more parameter of a request. */
type CountParameter = () => void;

/** Position of an absent field. The last occurrence of a field counts, and only that is read. */
const NOWHERE = 0;

/**
 * Reads a ModelInferRequest.
 *
 * @throws ServeFailure `invalid` if it is malformed, `too large` if anything in it exceeds what a model can have
 */
export function readRequest(bytes: Buffer): RequestMessage {
  let [name, version, id] = [NOWHERE, NOWHERE, NOWHERE];
  let counted = 0;
  const countParameter = () => {
    if (counted === MOST) throw tooMany('parameters', MOST);
    counted += 1;
  };
  const parameters = parameterReader(countParameter);
  const inputs: TensorMessage[] = [];
  const outputs: RequestMessage['outputs'][number][] = [];
  const raw: Buffer[] = [];
  readDelimited(bytes, {
    1: (cursor) => {
      name = skipBytes(cursor);
    },
    2: (cursor) => {
      version = skipBytes(cursor);
    },
    3: (cursor) => {
      id = skipBytes(cursor);
    },
    4: parameters.take,
    5: (cursor) => push(inputs, readTensor(readBytes(cursor), countParameter), 'inputs'),
    6: (cursor) => push(outputs, readOutput(readBytes(cursor), countParameter), 'outputs'),
    7: (cursor) => push(raw, readBytes(cursor), 'raw_input_contents'),
  });
  return {
    name: textAt(bytes, name, 'the name of the model'),
    version: textAt(bytes, version, 'the version of the model'),
    id: textAt(bytes, id, 'the id'),
    parameters: parameters.read(),
    inputs,
    outputs,
    raw,
  };
}

function readTensor(bytes: Buffer, countParameter: CountParameter): TensorMessage {
  let [name, datatype] = [NOWHERE, NOWHERE];
  const contents: Buffer[] = [];
  const shape: number[] = [];
  const parameters = parameterReader(countParameter);
  const dimension = (cursor: Cursor) => {
    readVarint(cursor);
    push(shape, signedNumber(cursor), 'dimensions', MOST_DIMENSIONS);
  };
  const takes = {
    1: (cursor: Cursor) => {
      name = skipBytes(cursor);
    },
    2: (cursor: Cursor) => {
      datatype = skipBytes(cursor);
    },
    3: (cursor: Cursor) => readPacked(cursor, dimension),
    4: parameters.take,
    5: (cursor: Cursor) => push(contents, readBytes(cursor), 'parts of the contents of a tensor', MOST_PARTS),
  };
  readDelimited(bytes, takes, (field, wire) => (field === 3 && wire === VARINT ? dimension : undefined));
  return {
    name: textAt(bytes, name, 'the name of an input'),
    datatype: textAt(bytes, datatype, 'a datatype'),
    shape,
    parameters: parameters.read(),
    // Concatenating the parts of a message yields the message.
    contents: contents.length > 1 ? Buffer.concat(contents) : contents[0],
  };
}

function readOutput(bytes: Buffer, countParameter: CountParameter): RequestMessage['outputs'][number] {
  let name = NOWHERE;
  const parameters = parameterReader(countParameter);
  readDelimited(bytes, {
    1: (cursor) => {
      name = skipBytes(cursor);
    },
    2: parameters.take,
  });
  return { name: textAt(bytes, name, 'the name of an output'), parameters: parameters.read() };
}

/** Reads the entries of a map of parameters. */
function parameterReader(count: CountParameter): { take: Take; read(): Parameters } {
  const found: [string, ParameterValue][] = [];
  return {
    take(cursor) {
      count();
      const bytes = readBytes(cursor);
      let [key, value] = [NOWHERE, NOWHERE];
      readDelimited(bytes, {
        1: (entry) => {
          key = skipBytes(entry);
        },
        2: (entry) => {
          value = skipBytes(entry);
        },
      });
      found.push([textAt(bytes, key, 'the name of a parameter'), readParameter(bytesAt(bytes, value))]);
    },
    read: () => Object.fromEntries(found),
  };
}

function readParameter(bytes: Buffer): ParameterValue {
  let value: Exclude<ParameterValue, string> | undefined;
  let text = NOWHERE;
  readFields(bytes, (field, wire, cursor) => {
    if (wire === VARINT && (field === 1 || field === 2 || field === 5)) {
      readVarint(cursor);
      if (field === 1) value = unsignedNumber(cursor) !== 0;
      else value = field === 2 ? signedNumber(cursor) : unsignedNumber(cursor);
    } else if (field === 3 && wire === BYTES) {
      text = skipBytes(cursor);
      value = undefined;
    } else if (field === 4 && wire === FIXED64) value = bytes.readDoubleLE(advance(cursor, 8));
    else return false;
    return true;
  });
  return value ?? textAt(bytes, text, 'a parameter');
}

/** Reads a message whose fields are mostly length-delimited. @param other consumes a field of another type */
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
  if (list.length === most) throw tooMany(what, most);
  list.push(item);
}

function tooMany(what: string, most: number): ServeFailure {
  return new ServeFailure('too large', `the request has more than ${most} ${what}`);
}

import { expect } from 'vitest';
import { featuresOf, type InputDtype } from '../../src/domain/signature.ts';
import { readRejection } from '../../src/features/rejection.ts';
import type { OnlineModel } from '../../src/serve/online-model.ts';
import type { Serving } from '../../src/serve/process/serving.ts';
import { clientOf } from './grpc/client.ts';
import { ask, jsonOf } from './http/ask.ts';
import { bytesOfArray, type Inferred, type Input, inferAt, read, textBytes } from './http/v2-client.ts';
import { batchOfCells, type Cell } from './random-batch.ts';

/** What became of a row: its score or probabilities, or why it has none, in the words of the quarantine. */
export type Answer =
  | { readonly values: readonly number[]; readonly label?: string }
  | { readonly reason: string; readonly feature?: string };

type Rows = readonly (readonly Cell[])[];

/** Asks for the rows of one request. An answer is undefined if the row cannot be asked for in this way. */
export type Ask = (rows: Rows) => Promise<readonly (Answer | undefined)[]>;

/** A way to ask a server that serves one model. The answers must be the same to the last bit, whichever way it is. */
interface Way {
  readonly name: string;
  open(serving: Serving): Ask;
}

export const WAYS: readonly [Way, ...Way[]] = [
  { name: 'score', open: askModel },
  { name: 'predict', open: askPredict },
  { name: 'REST with JSON', open: (serving) => askTensors(serving, overRest(serving, false)) },
  { name: 'REST with binary tensors', open: (serving) => askTensors(serving, overRest(serving, true)) },
  { name: 'REST with JSON in FP32', open: (serving) => askTensors(serving, overRest(serving, false), { single: true }) },
  { name: 'REST with binary FP32', open: (serving) => askTensors(serving, overRest(serving, true), { single: true }) },
  { name: 'REST with whole matrices', open: (serving) => askTensors(serving, overRest(serving, false), { whole: true }) },
  {
    name: 'REST with whole matrices in binary FP32',
    open: (serving) => askTensors(serving, overRest(serving, true), { single: true, whole: true }),
  },
  { name: 'gRPC with raw contents', open: (serving) => askTensors(serving, overGrpc(serving)) },
  { name: 'gRPC with typed contents', open: (serving) => askTensors(serving, overTypedGrpc(serving)) },
  {
    name: 'gRPC with typed whole matrices in FP32',
    open: (serving) => askTensors(serving, overTypedGrpc(serving), { single: true, whole: true }),
  },
];

export function modelOf(serving: Serving): OnlineModel {
  const [model] = serving.service.models.list();
  if (model === undefined) throw new Error('nothing is served');
  return model;
}

function askModel(serving: Serving): Ask {
  const model = modelOf(serving);
  const features = featuresOf(model.bundle.signature);
  return async (cells) => {
    const { rows, values, width, labels, rejected } = await model.score({ batch: batchOfCells(cells, model.kinds) });
    return Array.from({ length: rows }, (_, row) => {
      if (rejected[row] === 0) return scored([...values.slice(row * width, (row + 1) * width)], labels?.[row]);
      const { reason, feature } = readRejection(rejected[row] as number);
      return refused(reason, feature === undefined ? undefined : features[feature]?.feature.name);
    });
  };
}

type Prediction =
  | { readonly rejected: { readonly reason: string; readonly feature?: string } }
  | { readonly score: number }
  | { readonly label?: string; readonly probabilities: Readonly<Record<string, number>> };

function askPredict(serving: Serving): Ask {
  const { name, classes = [], bundle } = modelOf(serving);
  const features = featuresOf(bundle.signature);
  return async (cells) => {
    const rows = cells.map((row) => Object.fromEntries(features.map(({ feature }, j) => [feature.name, row[j]])));
    const answer = await ask(`${serving.addresses.http}/v1/models/${name}/predict`, {
      body: JSON.stringify({ rows }),
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status, answer.body.toString()).toBe(200);
    const { predictions } = jsonOf(answer) as { predictions: readonly Prediction[] };
    return predictions.map((one) => {
      if ('rejected' in one) return refused(one.rejected.reason, one.rejected.feature);
      if ('score' in one) return scored([one.score], undefined);
      return scored(
        classes.map((label) => one.probabilities[label] ?? Number.NaN),
        one.label,
      );
    });
  };
}

/** The outputs of a request by name: numbers, row-major, or texts. */
type Infer = (model: OnlineModel, inputs: readonly Tensor[]) => Promise<ReadonlyMap<string, readonly unknown[]>>;

interface Tensor {
  readonly name: string;
  readonly datatype: 'FP32' | 'FP64' | 'INT64' | 'BOOL' | 'BYTES';
  readonly shape: readonly number[];
  /** In row-major order. */
  readonly cells: readonly Cell[];
}

interface Form {
  /** Whether features of type float32 are sent in FP32. */
  readonly single?: boolean;
  /** Whether an input without nulls is one tensor `[rows, features]`. */
  readonly whole?: boolean;
}

const DATATYPES = { float32: 'FP64', float64: 'FP64', int64: 'INT64', bool: 'BOOL', string: 'BYTES' } as const;

/** Tensors have no null: rows are sent together if the same features are null in them, and those are left out. */
function askTensors(serving: Serving, infer: Infer, { single = false, whole = false }: Form = {}): Ask {
  const model = modelOf(serving);
  const datatypeOf = (dtype: InputDtype): Tensor['datatype'] => (single && dtype === 'float32' ? 'FP32' : DATATYPES[dtype]);
  const features = featuresOf(model.bundle.signature);
  const width = model.classes?.length ?? 1;
  return async (cells) => {
    const groups = new Map<string, number[]>();
    for (const [row, values] of cells.entries()) {
      if (features.some(({ feature }, j) => values[j] === null && !feature.nullable)) continue;
      // JSON has no infinity, and in FP32 the reason would be another.
      if (features.some(({ dtype }, j) => datatypeOf(dtype) === 'FP32' && !isSingle(values[j]))) continue;
      const key = values.map((cell) => (cell === null ? '0' : '1')).join('');
      // A request has at least one tensor.
      if (key.includes('1')) groups.set(key, [...(groups.get(key) ?? []), row]);
    }
    const answers = new Array<Answer | undefined>(cells.length).fill(undefined);
    const send = async ([key, rows]: readonly [string, readonly number[]]): Promise<void> => {
      let first = 0;
      const inputs = model.bundle.signature.inputs.flatMap(({ name, dtype, features: own }) => {
        const places = own.map((feature, j) => ({ name: feature.name, j: first + j }));
        first += own.length;
        const datatype = datatypeOf(dtype);
        const at = (row: number, j: number): Cell => cells[row]?.[j] ?? null;
        if (whole && places.every(({ j }) => key[j] === '1')) {
          const all = rows.flatMap((row) => places.map(({ j }) => at(row, j)));
          return [{ name, datatype, shape: [rows.length, own.length], cells: all }];
        }
        return places.flatMap((place): Tensor[] =>
          key[place.j] === '0'
            ? []
            : [{ name: place.name, datatype, shape: [rows.length], cells: rows.map((row) => at(row, place.j)) }],
        );
      });
      const outputs = await infer(model, inputs);
      const numbers = (outputs.get(model.classes === undefined ? 'score' : 'probabilities') ?? []) as readonly number[];
      for (const [i, row] of rows.entries()) {
        const [reason = '', feature] = String(outputs.get('rejected')?.[i]).split(': ');
        const label = outputs.get('label')?.[i];
        answers[row] =
          reason === ''
            ? scored(numbers.slice(i * width, (i + 1) * width), label === undefined ? undefined : String(label))
            : refused(reason, feature);
      }
    };
    await Promise.all([...groups].map(send));
    return answers;
  };
}

function overRest({ addresses }: Serving, binary: boolean): Infer {
  return async ({ name }, tensors) => {
    const inputs = tensors.map(
      ({ cells, ...head }): Input => (binary ? { ...head, bytes: rawOf({ ...head, cells }) } : { ...head, data: cells }),
    );
    const rest = binary ? { parameters: { binary_data_output: true } } : {};
    const { outputs }: Inferred = read(await inferAt(addresses.http, name, inputs, rest));
    return new Map(outputs.map(({ name: output, datatype, data, bytes }) => [output, data ?? valuesOf(datatype, bytes)]));
  };
}

function overGrpc({ addresses }: Serving): Infer {
  const client = clientOf(addresses.grpc);
  return async ({ name }, tensors) => {
    const { outputs, raw_output_contents: raw } = await client.infer({
      model_name: name,
      inputs: tensors.map(({ cells, ...head }) => head),
      raw_input_contents: tensors.map(rawOf),
    });
    return new Map(outputs.map(({ name: output, datatype }, i) => [output, valuesOf(datatype, raw[i])]));
  };
}

/** Where gRPC has the elements of a datatype, and how its writer takes one. */
const CONTENTS: Readonly<Record<Tensor['datatype'], readonly [field: string, write: (cell: Cell) => unknown]>> = {
  FP32: ['fp32_contents', Number],
  FP64: ['fp64_contents', Number],
  INT64: ['int64_contents', String],
  BOOL: ['bool_contents', Boolean],
  BYTES: ['bytes_contents', (cell) => Buffer.from(String(cell))],
};

function overTypedGrpc({ addresses }: Serving): Infer {
  const client = clientOf(addresses.grpc);
  return async ({ name }, tensors) => {
    const inputs = tensors.map(({ cells, ...head }) => {
      const [field, write] = CONTENTS[head.datatype];
      return { ...head, contents: { [field]: cells.map(write) } };
    });
    const { outputs } = await client.infer({ model_name: name, inputs });
    return new Map(
      outputs.map(({ name: output, datatype, contents }) => {
        const elements = contents?.[CONTENTS[datatype as Tensor['datatype']][0]] ?? [];
        return [output, datatype === 'BYTES' ? elements.map(String) : elements];
      }),
    );
  };
}

function isSingle(cell: Cell | undefined): boolean {
  return typeof cell !== 'number' || Number.isFinite(Math.fround(cell));
}

function rawOf({ datatype, cells }: Tensor): Buffer {
  switch (datatype) {
    case 'FP32':
      return bytesOfArray(Float32Array.from(cells, Number));
    case 'FP64':
      return bytesOfArray(Float64Array.from(cells, Number));
    case 'INT64':
      return bytesOfArray(BigInt64Array.from(cells, (cell) => BigInt(Number(cell))));
    case 'BOOL':
      return bytesOfArray(Uint8Array.from(cells, Number));
    case 'BYTES':
      return textBytes(cells.map(String));
  }
}

function valuesOf(datatype: string, bytes: Buffer = Buffer.alloc(0)): readonly unknown[] {
  const own = Uint8Array.from(bytes).buffer;
  if (datatype === 'FP32') return [...new Float32Array(own)];
  if (datatype === 'FP64') return [...new Float64Array(own)];
  const texts: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + bytes.readUInt32LE(at);
    texts.push(bytes.toString('utf8', at + 4, end));
    at = end;
  }
  return texts;
}

function scored(values: readonly number[], label: string | undefined): Answer {
  return { values, ...(label !== undefined && { label }) };
}

function refused(reason: string, feature: string | undefined): Answer {
  return { reason, ...(feature !== undefined && { feature }) };
}

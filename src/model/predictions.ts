import { counted } from '../domain/counted.ts';
import type { Signature } from '../domain/signature.ts';
import { ScoreBatchError } from '../errors.ts';
import { refuseRows } from '../features/score-rule.ts';
import type { OutputTensor } from '../runtime/session.ts';

/** The outcome of each row of a run. */
export interface Predictions {
  readonly rows: number;
  /** Row-major `[rows, width]`, in the model's element type and with its bits; meaningless for rejected rows. */
  readonly values: Float32Array | Float64Array;
  /** 1 for a score, otherwise the number of classes. */
  readonly width: number;
  /** The class of each row, for a bundle with classes that names a label output. */
  readonly labels: readonly string[] | undefined;
  /** One `Rejection` per row: 0 if it was scored. */
  readonly rejected: Int32Array;
}

type Numbers = Float32Array | Float64Array;

interface Run {
  readonly signature: Signature;
  readonly rows: number;
  /** Rows of the outputs; those beyond `rows` are padding. */
  readonly size: number;
  /** The encoder's rejections; rows whose values are not scores are added. */
  readonly rejected: Int32Array;
}

/**
 * Extracts the predictions of a run from the model's outputs, without padding.
 *
 * @param outputs the score or the probabilities, then the labels if the bundle names them
 * @throws ScoreBatchError `configuration` if the outputs do not have the shapes of the signature
 */
export function readPredictions([numbers, labels]: readonly OutputTensor[], run: Run): Predictions {
  const { signature, rows, size, rejected } = run;
  const { classes, output } = signature;
  const width = classes?.labels.length ?? 1;
  const values = numbersOf(numbers, run, width);
  refuseRows(values, width, rejected);
  if (labels !== undefined && labels.values.length !== size) throw shapeError(classes?.label ?? output.name, labels, size);
  return { rows, values, width, labels: labels && textsOf(labels, rows), rejected };
}

/** The predictions of rows `from` to `from + rows`. Copied, so that answers share no memory. */
export function partOf(whole: Predictions, from: number, rows: number): Predictions {
  if (from === 0 && rows === whole.rows) return whole;
  const { values, width, labels, rejected } = whole;
  return {
    rows,
    values: values.slice(from * width, (from + rows) * width),
    width,
    labels: labels?.slice(from, from + rows),
    rejected: rejected.slice(from, from + rows),
  };
}

/** Concatenates the outputs of successive runs. */
export function joinOutputs(parts: readonly (readonly OutputTensor[])[]): OutputTensor[] {
  const [first = []] = parts;
  return first.map(({ values, shape: [, ...rest] }, i) => {
    const all = parts.map((part) => part[i]?.values ?? []);
    const length = all.reduce((sum, part) => sum + part.length, 0);
    const rows = parts.reduce((sum, part) => sum + Number(part[i]?.shape[0] ?? 0), 0);
    const shape = [rows, ...rest];
    if (Array.isArray(values)) return { values: all.flatMap((part) => [...(part as readonly string[])]), shape };
    const joined = new (values.constructor as new (length: number) => Numbers)(length);
    let at = 0;
    for (const part of all) {
      joined.set(part as Numbers, at);
      at += part.length;
    }
    return { values: joined, shape };
  });
}

function numbersOf(tensor: OutputTensor | undefined, { signature, rows, size }: Run, width: number): Numbers {
  const { classes, output } = signature;
  const { values } = tensor ?? {};
  if (!(values instanceof Float32Array || values instanceof Float64Array)) throw shapeError(output.name, tensor, size);
  const given = values.length / size;
  if (!Number.isInteger(given)) throw shapeError(output.name, tensor, size);
  if (given === width && (classes !== undefined || output.index === 0))
    return rows === size ? values : values.slice(0, rows * width);
  if (classes !== undefined || output.index >= given) throw shapeError(output.name, tensor, size);
  const scores = values instanceof Float32Array ? new Float32Array(rows) : new Float64Array(rows);
  for (let row = 0, at = output.index; row < rows; row += 1, at += given) scores[row] = values[at] as number;
  return scores;
}

function textsOf({ values }: OutputTensor, rows: number): string[] {
  return Array.from({ length: rows }, (_, row) => String(values[row]));
}

function shapeError(name: string, tensor: OutputTensor | undefined, rows: number): ScoreBatchError {
  const shape = tensor === undefined ? 'is missing' : `has shape [${tensor.shape.join(', ')}]`;
  return new ScoreBatchError('configuration', `the output ${name} ${shape} for ${counted(rows, 'row')}`, {
    hint: 'check output in model.yaml: `score-batch model inspect` shows the outputs of the model',
  });
}

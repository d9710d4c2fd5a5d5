import { grouped } from '../domain/counted.ts';
import { fixedBatch } from '../domain/model-metadata.ts';
import { ScoreBatchError } from '../errors.ts';
import { isOutOfMemory } from './errors.ts';
import type { InputTensor, OutputTensor, OutputValues, Session } from './session.ts';

/** A session that takes any number of rows, whatever batch size the model and the device's memory allow. */
export interface BatchedSession extends Session {
  /** The batch size that fits in memory; undefined until a batch did not fit. */
  readonly halvedTo: number | undefined;
  /**
   * Runs the model as `run` does, for several outputs, and hands over those of each batch.
   *
   * @throws ScoreBatchError as `run`
   */
  runParts(inputs: readonly InputTensor[], names: readonly string[], take: TakePart): Promise<void>;
}

/**
 * Receives the outputs of a batch, in the order of their names.
 *
 * @param from position of its first row among all rows
 * @param rows of the batch @param size rows of the outputs; those beyond `rows` are padding
 */
type TakePart = (outputs: readonly OutputTensor[], from: number, rows: number, size: number) => void;

/**
 * Runs a model in batches. If the model has a fixed batch size, the last batch is padded with its last row. Otherwise batches
 * are about equal and have at most `rows` rows; if one runs out of memory, this and all later batches are halved.
 *
 * @param rows maximum rows per batch
 * @param even pads batches with an odd number of rows by one: otherwise the last bits of a row can differ
 */
export function inBatches(
  session: Session,
  rows = Number.POSITIVE_INFINITY,
  { even = false }: { readonly even?: boolean } = {},
): BatchedSession {
  const fixed = fixedBatch(session.metadata);
  let most = fixed ?? rows;
  let halvedTo: number | undefined;
  const sizeOf = (count: number): number => fixed ?? (even ? count + (count % 2) : count);
  const runPart = async <T>(
    inputs: readonly InputTensor[],
    from: number,
    left: number,
    work: (part: readonly InputTensor[]) => Promise<T>,
  ): Promise<{ readonly part: T; readonly rows: number }> => {
    for (;;) {
      const count = fixed === undefined ? Math.ceil(left / Math.max(1, Math.ceil(left / most))) : Math.min(fixed, left);
      try {
        return { part: await work(batchOf(inputs, from, count, sizeOf(count))), rows: count };
      } catch (error) {
        if (!isOutOfMemory(error)) throw error;
        if (fixed !== undefined || count === 1) throw outOfMemoryError(session.provider, fixed ?? 1, error);
        most = Math.floor(count / 2);
        halvedTo = most;
      }
    }
  };
  return {
    provider: session.provider,
    gpu: session.gpu,
    metadata: session.metadata,
    version: session.version,
    // A request is one batch: its rows are limited before it gets here.
    runOutputs: (inputs, names) => session.runOutputs(inputs, names),
    close: () => session.close(),
    get halvedTo() {
      return halvedTo;
    },
    async run(inputs, output) {
      const all = inputs[0]?.shape[0] ?? 0;
      if (all === 0) return { values: new Float32Array(0), width: 1 };
      let whole: OutputValues | undefined;
      for (let done = 0; done < all; ) {
        const { part, rows: count } = await runPart(inputs, done, all - done, (batch) => session.run(batch, output));
        const { values, width } = part;
        // The usual case: one batch has all rows, so nothing is copied.
        if (count === all && values.length === all * width) return { values, width };
        whole ??= { values: new (values instanceof Float32Array ? Float32Array : Float64Array)(all * width), width };
        whole.values.set(values.subarray(0, count * width), done * width);
        done += count;
      }
      return whole ?? { values: new Float32Array(0), width: 1 };
    },
    async runParts(inputs, names, take) {
      const all = inputs[0]?.shape[0] ?? 0;
      for (let done = 0; done < all; ) {
        const { part, rows: count } = await runPart(inputs, done, all - done, (batch) => session.runOutputs(batch, names));
        take(part, done, count, sizeOf(count));
        done += count;
      }
    },
  };
}

/**
 * Copies rows `from` to `from + count` into new inputs.
 *
 * @param size rows of the result; rows beyond `count` repeat the last row, whose values the model accepts
 */
export function batchOf(inputs: readonly InputTensor[], from: number, count: number, size: number): readonly InputTensor[] {
  if (from === 0 && count === size && inputs.every(({ shape }) => shape[0] === count)) return inputs;
  return inputs.map((input) => {
    const { values, shape } = input;
    const [, ...rest] = shape;
    const width = rest.reduce((product, length) => product * length, 1);
    const padding = (size - count) * width;
    const [start, end] = [from * width, (from + count) * width];
    return {
      ...input,
      shape: [size, ...rest],
      values: Array.isArray(values)
        ? [...values.slice(start, end), ...repeated(values.slice(end - width, end), padding)]
        : padding === 0
          ? values.subarray(start, end)
          : padded(values, { start, end, width, length: size * width }),
    };
  });
}

function padded<T extends Exclude<InputTensor['values'], string[]>>(
  values: T,
  { start, end, width, length }: Readonly<Record<'start' | 'end' | 'width' | 'length', number>>,
): T {
  const own = new (values.constructor as new (length: number) => T)(length);
  own.set(values.subarray(start, end) as never);
  for (let at = end - start; at < length; at += 1) own[at] = own[at - width] as never;
  return own;
}

function repeated(row: readonly string[], length: number): string[] {
  return Array.from({ length }, (_, i) => row[i % row.length] ?? '');
}

function outOfMemoryError(provider: string, rows: number, cause: unknown): ScoreBatchError {
  const what = rows === 1 ? 'a single row of this model' : `the ${grouped(rows)} rows that this model takes at a time`;
  return new ScoreBatchError('configuration', `${provider} has too little memory for ${what}`, {
    details: cause instanceof ScoreBatchError ? cause.details : [],
    hint: 'score.batch_rows cannot fix this: stop other programs that use the device, use a larger device, or score on cpu',
    cause,
  });
}

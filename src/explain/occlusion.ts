import type { InputTensor } from '../runtime/session.ts';

/** Rows per call of the scoring function. Bounds memory; larger batches are not faster. */
const BATCH_ROWS = 2048;

/**
 * Differences below half of a published score's last digit count as 0: another batch can move a score that much, and features
 * that the model ignores would become reasons.
 */
const NOTHING = 0.5e-6;

/** The scores of rows, in order. @param inputs tensors `[rows, width]`, only valid during the call */
type Score = (inputs: readonly InputTensor[]) => Promise<ArrayLike<number>>;

interface Occluded {
  readonly score: Score;
  readonly background: readonly InputTensor[];
  readonly inputs: readonly InputTensor[];
  readonly rows: number;
}

/**
 * The value of a feature by occlusion: the mean, over baseline rows, of score(x) - score(x with that row's value of the feature).
 * One feature at a time, so unlike Shapley values they need not add up to anything.
 *
 * Equal values of baseline rows are scored once. A value that x has itself changes nothing and is not scored.
 *
 * @returns `[rows, features]`, features in the order of the signature
 */
export async function occlusion({ score, background, inputs, rows }: Occluded): Promise<Float64Array> {
  const features = background.flatMap((input, i) =>
    columnsOf(input).map((distinct, column) => ({ input: i, column, distinct })),
  );
  const into = new Float64Array(rows * features.length);
  const own = await score(inputs);
  const total = background[0]?.shape[0] ?? 0;
  const batch = createBatch(inputs);
  const flush = async (): Promise<void> => {
    if (batch.pending.length === 0) return;
    const scores = await score(batch.tensors());
    for (const [i, { place, row, share }] of batch.pending.entries()) {
      into[place] = (into[place] ?? 0) + share * ((own[row] ?? Number.NaN) - (scores[i] ?? Number.NaN));
    }
    batch.pending.length = 0;
  };
  for (let row = 0; row < rows; row += 1) {
    for (const [j, { input, column, distinct }] of features.entries()) {
      for (const [value, count] of distinct) {
        const place = row * features.length + j;
        if (batch.add({ place, row, share: count / total }, { input, column, value })) await flush();
      }
    }
  }
  await flush();
  return into.map((value) => (Math.abs(value) < NOTHING ? 0 : value));
}

type Value = number | bigint | string;

/** The distinct values of each input column, with their frequencies. NaN equals NaN. */
function columnsOf({ values, shape }: InputTensor): Map<Value, number>[] {
  const [rows = 0, width = 1] = shape;
  return Array.from({ length: width }, (_, column) => {
    const counts = new Map<Value, number>();
    for (let row = 0; row < rows; row += 1) {
      const value = values[row * width + column] as Value;
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    return counts;
  });
}

interface Pending {
  /** Where to add the difference. */
  readonly place: number;
  readonly row: number;
  readonly share: number;
}

interface Batch {
  readonly pending: Pending[];
  /** Adds a copy of a row with one value replaced, unless it has that value. @returns whether the batch is full */
  add(pending: Pending, replaced: { readonly input: number; readonly column: number; readonly value: Value }): boolean;
  tensors(): InputTensor[];
}

/** Buffers for `BATCH_ROWS` changed rows. */
function createBatch(inputs: readonly InputTensor[]): Batch {
  const pending: Pending[] = [];
  const buffers = inputs.map(({ values, shape }) => emptyLike(values, BATCH_ROWS * (shape[1] ?? 1)));
  return {
    pending,
    add(one, { input, column, value }) {
      const width = inputs[input]?.shape[1] ?? 1;
      if (sameValue(inputs[input]?.values[one.row * width + column], value)) return false;
      for (const [i, { values, shape }] of inputs.entries()) {
        const size = shape[1] ?? 1;
        const buffer = buffers[i] as Value[];
        for (let j = 0; j < size; j += 1) buffer[pending.length * size + j] = values[one.row * size + j] as Value;
      }
      (buffers[input] as Value[])[pending.length * width + column] = value;
      return pending.push(one) === BATCH_ROWS;
    },
    tensors: () =>
      inputs.map((input, i) => {
        const buffer = buffers[i] as InputTensor['values'];
        const width = input.shape[1] ?? 1;
        const length = pending.length * width;
        return {
          ...input,
          shape: [pending.length, width],
          values: Array.isArray(buffer) ? buffer.slice(0, length) : buffer.subarray(0, length),
        };
      }),
  };
}

function emptyLike(values: InputTensor['values'], length: number): InputTensor['values'] {
  if (Array.isArray(values)) return new Array<string>(length).fill('');
  return new (values.constructor as new (length: number) => Exclude<InputTensor['values'], string[]>)(length);
}

function sameValue(a: Value | undefined, b: Value): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b));
}

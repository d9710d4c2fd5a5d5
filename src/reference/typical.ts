import type { Histogram } from '../domain/psi.ts';
import { type Feature, featuresOf, type InputDtype, type Signature } from '../domain/signature.ts';
import type { Cell } from './cells.ts';
import { quantileHistogram } from './histogram.ts';
import type { Sample } from './sample.ts';

type Scalar = number | string | boolean;

/** What `model.yaml` says of the rows that a model was trained on. */
export interface Typical {
  readonly reference: { readonly score: Histogram; readonly features: Readonly<Record<string, Histogram>> };
  /** A typical row: the median of numbers, else the most frequent value. */
  readonly baseline: Readonly<Record<string, Scalar>>;
}

/** @param sample at least one row */
export function typicalOf(signature: Signature, { rows, scores }: Sample): Typical {
  const features: Record<string, Histogram> = {};
  const baseline: Record<string, Scalar> = {};
  for (const [i, { feature, dtype }] of featuresOf(signature).entries()) {
    const cells = rows.map((row) => row[i] ?? null);
    if (dtype === 'string' || dtype === 'bool') {
      const value = mostFrequent(cells.map((cell) => cell ?? fillerOf(feature)));
      if (value !== null) baseline[feature.name] = value;
      continue;
    }
    const numbers = numbersOf(feature, cells);
    if (numbers.length === 0) continue;
    features[feature.name] = quantileHistogram(numbers);
    baseline[feature.name] = medianOf(numbers, dtype);
  }
  return { reference: { score: quantileHistogram(Float64Array.from(scores).sort(), [0, 1]), features }, baseline };
}

/** In ascending order, as the model gets them: a default in place of a null. What is NaN to the model is in no bin. */
function numbersOf(feature: Feature, cells: readonly Cell[]): Float64Array {
  const filler = Number(fillerOf(feature) ?? Number.NaN);
  return Float64Array.from(cells, (cell) => (cell === null ? filler : Number(cell)))
    .filter((value) => !Number.isNaN(value))
    .sort();
}

/** One that occurs, so that a whole number stays one; of floats with as many digits as float32 has. */
function medianOf(sorted: Float64Array, dtype: InputDtype): number {
  const median = sorted[(sorted.length - 1) >> 1] ?? 0;
  return dtype === 'float32' ? Number(median.toPrecision(7)) : median;
}

function fillerOf(feature: Feature): Scalar | null {
  return feature.default ?? null;
}

function mostFrequent(values: readonly (Cell | Scalar)[]): Scalar | null {
  const counts = new Map<Scalar, number>();
  for (const value of values) {
    if (value !== null && typeof value !== 'bigint') counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  let [best, most]: [Scalar | null, number] = [null, 0];
  for (const [value, count] of counts) if (count > most) [best, most] = [value, count];
  return best;
}

import type { Histogram } from '../domain/psi.ts';
import { type Feature, featuresOf, type InputDtype, type Signature } from '../domain/signature.ts';
import type { Cell } from './cells.ts';
import { featureReference, type WrittenReference } from './feature-reference.ts';
import { quantileHistogram } from './histogram.ts';
import type { Sample } from './sample.ts';

type Scalar = number | string | boolean;

/** What `model.yaml` states about the training rows. */
export interface Typical {
  /** `score` of a bundle with one score, `classes` by label of one with classes. */
  readonly reference: {
    readonly score?: Histogram;
    readonly classes?: Readonly<Record<string, Histogram>>;
    readonly features: Readonly<Record<string, WrittenReference>>;
  };
  /** A typical row: medians of numeric features, otherwise the most frequent value. */
  readonly baseline: Readonly<Record<string, Scalar>>;
}

/** @param sample has at least one row */
export function describeTypical(signature: Signature, { rows, values }: Sample): Typical {
  const features: Record<string, WrittenReference> = {};
  const baseline: Record<string, Scalar> = {};
  for (const [i, { feature, dtype }] of featuresOf(signature).entries()) {
    const cells = rows.map((row) => row[i] ?? null);
    const reference = featureReference(cells, dtype);
    if (reference !== undefined) features[feature.name] = reference;
    if (dtype === 'string' || dtype === 'bool') {
      const value = mostFrequent(cells.map((cell) => cell ?? fillerOf(feature)));
      if (value !== null) baseline[feature.name] = value;
      continue;
    }
    const numbers = numbersOf(feature, cells);
    if (numbers.length > 0) baseline[feature.name] = medianOf(numbers, dtype);
  }
  const histogramOf = (place: number): Histogram =>
    quantileHistogram(Float64Array.from(values, (row) => row[place] ?? Number.NaN).sort(), [0, 1]);
  const { labels } = signature.classes ?? {};
  if (labels === undefined) return { reference: { score: histogramOf(0), features }, baseline };
  const classes = Object.fromEntries(labels.map((label, place) => [label, histogramOf(place)]));
  return { reference: { classes, features }, baseline };
}

/** The numbers that the model gets, in ascending order. Defaults replace nulls; NaN is left out. */
function numbersOf(feature: Feature, cells: readonly Cell[]): Float64Array {
  const filler = Number(fillerOf(feature) ?? Number.NaN);
  return Float64Array.from(cells, (cell) => (cell === null ? filler : Number(cell)))
    .filter((value) => !Number.isNaN(value))
    .sort();
}

/** A value that occurs, so that an integer stays one. A float32 is rounded to seven digits. */
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

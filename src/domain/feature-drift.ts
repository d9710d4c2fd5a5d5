import { type Histogram, populationStabilityIndex } from './psi.ts';

/** The numbers of a feature at training. The histogram is of the values that are not null. */
interface NumericReference extends Histogram {
  /** Share of nulls. */
  readonly nulls: number;
}

/** The strings of a feature at training, or `true` and `false`. */
export interface CategoryReference {
  /** Category → share of the values that are not null. */
  readonly categories: Readonly<Record<string, number>>;
  /** Share of non-null values in other categories. If 0, such values were never seen. */
  readonly other: number;
  /** Share of nulls. */
  readonly nulls: number;
}

export type FeatureReference = NumericReference | CategoryReference;

/** A feature's values in a window, counted. */
export interface FeatureCounts {
  readonly rows: number;
  /** Per bin of the histogram, or per category in the order of `categoriesOf`. */
  readonly listed: readonly number[];
  /** Values that are neither null nor NaN. */
  readonly present: number;
}

/** A bin with its share of all rows of the window, and of all rows of the training data. */
export interface DriftBin {
  readonly name: string;
  readonly now: number;
  readonly reference: number;
}

/** How far a feature is from its reference. All figures are rounded to six decimals, as in tables and ledger. */
export interface FeatureDrift {
  readonly feature: string;
  readonly psi: number;
  readonly nullShare: number;
  readonly referenceNullShare: number;
  readonly bins: readonly DriftBin[];
}

/** The drift of all features that have a reference. */
export interface MeasuredDrift {
  /** Rows of the window that were counted, those in quarantine included. */
  readonly rows: number;
  /** Most drifted feature first; empty for a window without rows. */
  readonly features: readonly FeatureDrift[];
}

export function isCategorical(reference: FeatureReference): reference is CategoryReference {
  return 'categories' in reference;
}

export function categoriesOf({ categories }: CategoryReference): string[] {
  return Object.keys(categories);
}

/**
 * PSI over the bins of the values (`populationStabilityIndex`), a bin for nulls and, for categories, a bin for all unlisted
 * values. Shares are of all rows, so the reference shares are scaled by the share of values that are not null.
 *
 * @throws RangeError if there are no rows
 */
export function featureDrift(feature: string, reference: FeatureReference, counts: FeatureCounts): FeatureDrift {
  const { rows, present } = counts;
  const bins = binsOf(reference, counts);
  const psi = populationStabilityIndex([...bins.map(({ count }) => count), rows - present], {
    shares: [...bins.map(({ share }) => share * (1 - reference.nulls)), reference.nulls],
  });
  return {
    feature,
    psi: rounded(psi),
    nullShare: rounded((rows - present) / rows),
    referenceNullShare: rounded(reference.nulls),
    bins: [
      ...bins.map(({ name, count, share }) => ({
        name,
        now: rounded(count / rows),
        reference: rounded(share * (1 - reference.nulls)),
      })),
      { name: '(null)', now: rounded((rows - present) / rows), reference: rounded(reference.nulls) },
    ],
  };
}

/** Sorts by PSI, largest first. Features with equal PSI keep their order. */
export function worstFirst(features: readonly FeatureDrift[]): FeatureDrift[] {
  return [...features].sort((a, b) => b.psi - a.psi);
}

interface Bin {
  readonly name: string;
  readonly count: number;
  /** Share of the reference's values that are not null. */
  readonly share: number;
}

function binsOf(reference: FeatureReference, { listed, present }: FeatureCounts): Bin[] {
  const bin = (name: string, share: number, i: number): Bin => ({ name, count: listed[i] ?? 0, share });
  if (!isCategorical(reference)) {
    const { edges, shares } = reference;
    return shares.map((share, i) => bin(intervalName(edges[i - 1], edges[i]), share, i));
  }
  const { categories, other } = reference;
  const unlisted = present - listed.reduce((sum, count) => sum + count, 0);
  return [
    ...Object.entries(categories).map(([name, share], i) => bin(name, share, i)),
    { name: other > 0 ? '(other)' : '(never seen)', count: unlisted, share: other },
  ];
}

/** Bin i of a histogram holds edges[i-1] <= x < edges[i]. */
function intervalName(lower: number | undefined, upper: number | undefined): string {
  if (lower === undefined) return upper === undefined ? 'any number' : `below ${upper}`;
  return upper === undefined ? `${lower} and more` : `${lower} to ${upper}`;
}

function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

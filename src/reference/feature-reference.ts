import type { Histogram } from '../domain/psi.ts';
import type { InputDtype } from '../domain/signature.ts';
import type { Cell } from './cells.ts';
import { quantileHistogram } from './histogram.ts';

/** A feature's reference as in `model.yaml`, without shares of 0. */
export type WrittenReference = (
  | Histogram
  | { readonly categories: Readonly<Record<string, number>>; readonly other?: number }
) & {
  readonly nulls?: number;
};

/** Most categories with their own bin; the rest become `other`. */
const MAX_CATEGORIES = 50;
/** A longer string is not a category. */
const MAX_LENGTH = 200;

/**
 * The distribution of a feature's raw values: NaN counts as null, and no default replaces a null.
 *
 * @param cells at least one
 * @returns undefined if all are null
 */
export function featureReference(cells: readonly Cell[], dtype: InputDtype): WrittenReference | undefined {
  const values = cells.filter((cell) => cell !== null && !Number.isNaN(cell));
  if (values.length === 0) return undefined;
  const nulls = share(cells.length - values.length, cells.length);
  const isNumeric = dtype !== 'string' && dtype !== 'bool';
  return {
    ...(isNumeric ? quantileHistogram(Float64Array.from(values, Number).sort()) : categoryShares(values)),
    ...(nulls > 0 && { nulls }),
  };
}

/** Most frequent categories first; equally frequent ones in alphabetical order. */
function categoryShares(values: readonly Cell[]): { categories: Record<string, number>; other?: number } {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  // A file cannot have a key __proto__.
  const listed = sorted.filter(([name]) => name.length <= MAX_LENGTH && name !== '__proto__').slice(0, MAX_CATEGORIES);
  const other = values.length - listed.reduce((sum, [, count]) => sum + count, 0);
  return {
    categories: Object.fromEntries(listed.map(([name, count]) => [name, share(count, values.length)])),
    ...(other > 0 && { other: share(other, values.length) }),
  };
}

function share(count: number, all: number): number {
  return Number((count / all).toFixed(9));
}

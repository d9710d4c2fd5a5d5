import type { FeatureReference } from '../../src/domain/feature-drift.ts';

const EPSILON = 1e-4;

/** PSI and share of nulls of raw values, row by row: what the aggregates must give. Bins are as docs/model-bundle.md has them. */
export function slowDrift(
  values: readonly (number | string | boolean | null)[],
  reference: FeatureReference,
): { psi: number; nullShare: number } {
  const isNull = (value: unknown) => value === null || Number.isNaN(value);
  const present = 1 - reference.nulls;
  const bins: { has: (value: unknown) => boolean; share: number }[] =
    'categories' in reference
      ? [
          ...Object.entries(reference.categories).map(([name, share]) => ({
            has: (value: unknown) => !isNull(value) && String(value) === name,
            share: share * present,
          })),
          {
            has: (value: unknown) => !isNull(value) && !Object.hasOwn(reference.categories, String(value)),
            share: reference.other * present,
          },
        ]
      : reference.shares.map((share, i) => ({
          has: (value: unknown) =>
            !isNull(value) &&
            Number(value) >= (reference.edges[i - 1] ?? -Infinity) &&
            (i === reference.edges.length || Number(value) < (reference.edges[i] ?? 0)),
          share: share * present,
        }));
  bins.push({ has: isNull, share: reference.nulls });
  let psi = 0;
  for (const { has, share } of bins) {
    const p = Math.max(values.filter(has).length / values.length, EPSILON);
    const q = Math.max(share, EPSILON);
    psi += (p - q) * Math.log(p / q);
  }
  return { psi, nullShare: values.filter(isNull).length / values.length };
}

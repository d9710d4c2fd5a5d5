import { categoriesOf, type FeatureCounts, type FeatureReference, isCategorical } from '../../domain/feature-drift.ts';
import type { Column } from '../../domain/schema.ts';
import type { Dialect } from '../dialect.ts';
import type { SelectText, TextRow } from '../reader.ts';

/** A feature to count, and the column that feeds it. */
export interface CountedFeature {
  readonly feature: string;
  readonly column: Column;
  readonly reference: FeatureReference;
}

/** Limits per statement: BigQuery allows a megabyte, and 10,000 columns in a result. */
const MAX_FEATURES = 50;
const MAX_COUNTS = 1_000;
const MAX_CHARACTERS = 100_000;

/** Divides features among statements that every warehouse accepts. A statement has at least one. */
export function divideFeatures<T extends Pick<CountedFeature, 'reference'>>(features: readonly T[]): T[][] {
  const groups: T[][] = [];
  let [counts, characters] = [0, 0];
  for (const feature of features) {
    const own = isCategorical(feature.reference) ? categoriesOf(feature.reference) : feature.reference.shares.map(() => '');
    const length = own.join('').length;
    const group = groups.at(-1);
    const fits = counts + own.length <= MAX_COUNTS && characters + length <= MAX_CHARACTERS;
    if (group !== undefined && group.length < MAX_FEATURES && fits) group.push(feature);
    else {
      groups.push([feature]);
      [counts, characters] = [0, 0];
    }
    counts += own.length;
    characters += length;
  }
  return groups;
}

/**
 * Counts rows, and the values of each feature by the bins of its reference, in one scan. NaN counts as null, and infinity is in
 * an outer bin.
 */
export function countFeatures(features: readonly CountedFeature[]): SelectText {
  return (dialect, relation) => {
    const text = dialect.type({ type: 'string' });
    const values = features.map(({ column, reference }, i) => `${rawValue(dialect, column, reference)} AS ${named(i)}`);
    const counts = features.flatMap(({ reference }, i) => [
      ...(isCategorical(reference) ? [`COUNT(${named(i)})`] : []),
      ...conditions(dialect, named(i), reference).map((condition) => `COUNT(CASE WHEN ${condition} THEN 1 END)`),
    ]);
    return `SELECT ${['COUNT(*)', ...counts].map((count) => `CAST(${count} AS ${text})`).join(', ')}
      FROM (SELECT ${values.join(', ')} FROM ${relation} counted) valued`;
  };
}

/** The counts of each feature. @param row the result of `countFeatures` with the same features */
export function readFeatureCounts(features: readonly Pick<CountedFeature, 'reference'>[], row: TextRow): FeatureCounts[] {
  const [rows = 0, ...counts] = row.map(Number);
  return features.map(({ reference }) => {
    if (isCategorical(reference)) {
      const [present = 0, ...listed] = counts.splice(0, 1 + categoriesOf(reference).length);
      return { rows, present, listed };
    }
    const listed = counts.splice(0, reference.shares.length);
    return { rows, present: listed.reduce((sum, count) => sum + count, 0), listed };
  });
}

function named(i: number): string {
  return `feature_${i}`;
}

/** The value as a float, or as a string that compares by its bytes, whatever its collation. */
function rawValue(dialect: Dialect, column: Column, reference: FeatureReference): string {
  const name = dialect.identifier(column.name);
  if (isCategorical(reference)) return dialect.bytes(dialect.text(name, column));
  const number = column.type === 'bool' ? `CASE WHEN ${name} THEN 1 WHEN NOT ${name} THEN 0 END` : name;
  return `CAST(${number} AS ${dialect.type({ type: 'float' })})`;
}

/** A condition per bin or category. */
function conditions(dialect: Dialect, value: string, reference: FeatureReference): string[] {
  if (isCategorical(reference))
    return categoriesOf(reference).map((category) => `${value} = ${dialect.bytes(dialect.literal(category))}`);
  const { edges } = reference;
  const float = (text: string) => `CAST(${dialect.literal(text)} AS ${dialect.type({ type: 'float' })})`;
  return [...edges, undefined].map((upper, bin) => {
    const lower = edges[bin - 1];
    // NaN is above infinity in DuckDB and Snowflake, and compares to nothing in BigQuery, so it is in no bin.
    const below = upper === undefined ? `${value} <= ${float('inf')}` : `${value} < ${float(String(upper))}`;
    return lower === undefined ? below : `${value} >= ${float(String(lower))} AND ${below}`;
  });
}

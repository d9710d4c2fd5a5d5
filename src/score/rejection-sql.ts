import type { Column } from '../domain/schema.ts';
import { literal } from '../duckdb/sql.ts';
import { type Rejection, readRejection } from '../features/rejection.ts';
import { hashedValue } from './hashed-value.ts';

export interface RejectionSpec {
  /** The rejections that occur. */
  readonly rejections: readonly Rejection[];
  readonly key: readonly Column[];
  readonly featureNames: readonly string[];
  readonly hashValues: boolean;
  /** See `setHashKey`. */
  readonly hashKey: string | undefined;
}

/** SQL expressions for why a row is quarantined. They are null for a scored row. */
export interface RejectionSql {
  readonly reason: string;
  readonly columnName: string;
  readonly value: string;
}

/**
 * The reason, column and value of quarantined rows, over the columns `null_key`, `duplicate` and `rejected` (a `Rejection`).
 * Key problems take precedence: whatever its features, such a row has no place in a table with a key.
 *
 * @param textOf expression for the rejected value of a feature as text, by position of the feature
 */
export function rejectionSql(spec: RejectionSpec, textOf: (feature: number) => string): RejectionSql {
  const { rejections, key, featureNames, hashValues, hashKey } = spec;
  const known = rejections.map((code) => ({ code, ...readRejection(code) }));
  const perRejection = (expression: (entry: (typeof known)[number]) => string | undefined): string =>
    known.length === 0
      ? 'NULL'
      : `CASE rejected ${known.map((entry) => `WHEN ${entry.code} THEN ${expression(entry) ?? 'NULL'}`).join(' ')} END`;
  const shown = (feature: number) => (hashValues ? hashedValue(textOf(feature), hashKey !== undefined) : textOf(feature));
  const reason = perRejection((entry) => literal(entry.reason));
  const column = perRejection(({ feature }) => (feature === undefined ? undefined : literal(featureNames[feature] ?? '')));
  const value = perRejection((entry) =>
    entry.feature === undefined || entry.reason === 'null in a required feature' ? undefined : shown(entry.feature),
  );
  const keyNames = literal(key.map(({ name }) => name).join(', '));
  return {
    reason: `CASE WHEN null_key THEN 'null key' WHEN duplicate THEN 'duplicate key' ELSE ${reason} END`,
    columnName: `CAST(CASE WHEN null_key OR duplicate THEN ${keyNames} ELSE ${column} END AS VARCHAR)`,
    value: `CAST(CASE WHEN null_key OR duplicate THEN NULL ELSE ${value} END AS VARCHAR)`,
  };
}

import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { Column } from '../domain/schema.ts';
import { stagedKeep, stagedKey } from '../domain/staged-columns.ts';
import type { TappedWindow } from '../domain/tapped-window.ts';
import type { Database } from '../duckdb/database.ts';
import { literal, parquetScan } from '../duckdb/sql.ts';
import { systemCode } from '../errors.ts';
import { readRejection } from '../features/rejection.ts';
import { ORDINAL, OUTCOMES, REJECTED, REPEATED, ROWS, textColumn } from '../outcomes/folder.ts';
import { type OutcomeFunctions, registerOutcomes } from '../outcomes/functions.ts';
import { openOutcomes } from '../outcomes/reader.ts';
import { hashedValue, setHashKey } from '../score/hashed-value.ts';
import type { TapColumn } from './columns.ts';

export interface RejectedSpec {
  /** The attempt's folder. */
  readonly folder: string;
  readonly key: readonly Column[];
  readonly keep: readonly Column[];
  /** Columns that feed the features, and how they were handed over, by position of the feature. */
  readonly features: readonly Column[];
  readonly columns: readonly TapColumn[];
  readonly featureNames: readonly string[];
  /** Rejections that there were; see `Rejection`. */
  readonly rejections: readonly number[];
  /** Keys that occur more than once. */
  readonly duplicates: number;
  readonly hashValues: boolean;
  readonly hashKey: string | undefined;
  readonly window: Pick<TappedWindow, 'attempt' | 'provider' | 'facts' | 'scoredAt' | 'batchRows'>;
}

/**
 * Writes the rows of an attempt that are quarantined, each with its reason and value, to a file of their own. Reasons about the key
 * come first: such a row has no place in any table that is keyed, whatever its features are.
 *
 * @returns how many there are
 */
export async function writeRejected(database: Database, spec: RejectedSpec): Promise<number> {
  const { folder, key, duplicates } = spec;
  const rows = filesIn(path.join(folder, ROWS));
  const keys = key.map((_, i) => stagedKey(i));
  const nullKey = keys.map((name) => `${name} IS NULL`).join(' OR ');
  if (spec.hashKey !== undefined) await setHashKey(database, spec.hashKey);
  const reader = openOutcomes(path.join(folder, OUTCOMES), spec.window.batchRows);
  try {
    const functions = registerOutcomes(database, reader);
    const repeated = filesIn(path.join(folder, REPEATED));
    const same = keys.map((name) => `repeated.${name} = entered.${name}`).join(' AND ');
    const duplicate = duplicates === 0 ? 'FALSE' : `EXISTS (SELECT 1 FROM ${parquetScan(repeated)} AS repeated WHERE ${same})`;
    const judged = `(SELECT *, ${functions.rejected}(${ORDINAL}) AS rejected, ${nullKey} AS null_key, ${duplicate} AS duplicate
      FROM ${parquetScan(rows)} AS entered)`;
    const [written] = await database.rows(
      `COPY (SELECT ${selectRejected(spec, functions)} FROM ${judged} AS judged WHERE null_key OR duplicate OR rejected <> 0)
       TO ${literal(path.join(folder, REJECTED))} (FORMAT parquet)`,
    );
    return Number(written?.[0]);
  } finally {
    reader.close();
  }
}

function selectRejected(spec: RejectedSpec, functions: OutcomeFunctions): string {
  const { key, keep, rejections, featureNames, window } = spec;
  const known = rejections.map((code) => ({ code, ...readRejection(code) }));
  const perCode = (value: (entry: (typeof known)[number]) => string | undefined): string =>
    known.length === 0
      ? 'NULL'
      : `CASE rejected ${known.map((entry) => `WHEN ${entry.code} THEN ${value(entry) ?? 'NULL'}`).join(' ')} END`;
  const named = perCode(({ feature }) => (feature === undefined ? undefined : literal(featureNames[feature] ?? '')));
  const value = perCode(({ reason, feature }) =>
    feature === undefined || reason === 'null in a required feature' ? undefined : shown(feature, spec, functions),
  );
  const aboutKey = 'null_key OR duplicate';
  return [
    ...key.map((_, i) => stagedKey(i)),
    ...keep.map((_, i) => stagedKeep(i)),
    'CAST(NULL AS DECIMAL(7, 6)) AS score',
    `CASE WHEN null_key THEN 'null key' WHEN duplicate THEN 'duplicate key' ELSE ${perCode(({ reason }) => literal(reason))} END AS reason`,
    `CAST(CASE WHEN ${aboutKey} THEN ${literal(key.map(({ name }) => name).join(', '))} ELSE ${named} END AS VARCHAR) AS column_name`,
    `CAST(CASE WHEN ${aboutKey} THEN NULL ELSE ${value} END AS VARCHAR) AS value`,
    '0 AS chunk',
    `${literal(window.attempt)} AS attempt`,
    `${literal(window.provider)} AS provider`,
    // Here too: they are of the attempt, and there may be no row that was scored.
    `${literal(JSON.stringify(window.facts))} AS facts`,
    `CAST(${literal(window.scoredAt)} AS TIMESTAMPTZ) AS scored_at`,
  ].join(', ');
}

/** A rejected value as the text that its own type has; see `TapColumn.text` for what a number does not tell. */
function shown(
  feature: number,
  { columns, features, hashValues, hashKey }: RejectedSpec,
  { integer, double }: OutcomeFunctions,
): string {
  const column = columns[feature];
  const text = column?.text === undefined ? [] : [textColumn(feature)];
  const native = features[feature]?.native === 'HUGEINT' ? 'DECIMAL(38, 0)' : features[feature]?.native;
  const number =
    column?.kind === 'category'
      ? []
      : [`CAST(TRY_CAST(${column?.kind === 'int64' ? integer : double}(${ORDINAL}) AS ${native}) AS VARCHAR)`];
  const value = `coalesce(${[...text, ...number].join(', ')})`;
  return hashValues ? hashedValue(value, hashKey !== undefined) : value;
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .sort()
      .map((name) => path.join(folder, name));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

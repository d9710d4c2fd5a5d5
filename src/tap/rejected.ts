import path from 'node:path';
import type { Column } from '../domain/schema.ts';
import { stagedKeep, stagedKey } from '../domain/staged-columns.ts';
import type { TappedWindow } from '../domain/tapped-window.ts';
import type { Database } from '../duckdb/database.ts';
import { filesIn } from '../duckdb/files.ts';
import { literal, parquetScan } from '../duckdb/sql.ts';
import { ORDINAL, OUTCOMES, REJECTED, REPEATED, ROWS, textColumn } from '../outcomes/folder.ts';
import { type OutcomeFunctions, registerOutcomes } from '../outcomes/functions.ts';
import { openOutcomes } from '../outcomes/reader.ts';
import { setHashKey } from '../score/hashed-value.ts';
import { type RejectionSpec, rejectionSql } from '../score/rejection-sql.ts';
import type { TapColumn } from './columns.ts';

export interface RejectedSpec extends RejectionSpec {
  /** The attempt's folder. */
  readonly folder: string;
  readonly keep: readonly Column[];
  /** Columns that feed the features, and how the ring carried them, by position of the feature. */
  readonly features: readonly Column[];
  readonly columns: readonly TapColumn[];
  /** Number of keys that occur more than once. */
  readonly duplicates: number;
  readonly window: Pick<TappedWindow, 'attempt' | 'provider' | 'facts' | 'scoredAt' | 'batchRows'>;
}

/**
 * Writes the quarantined rows of an attempt, each with its reason and value, to their own file.
 *
 * @returns the number of rows
 */
export async function writeRejected(database: Database, spec: RejectedSpec): Promise<number> {
  const { folder, key, duplicates } = spec;
  const rows = await filesIn(path.join(folder, ROWS));
  const repeated = duplicates === 0 ? [] : await filesIn(path.join(folder, REPEATED));
  const keys = key.map((_, i) => stagedKey(i));
  const nullKey = keys.map((name) => `${name} IS NULL`).join(' OR ');
  if (spec.hashKey !== undefined) await setHashKey(database, spec.hashKey);
  const reader = openOutcomes(path.join(folder, OUTCOMES), spec.window.batchRows);
  try {
    const functions = registerOutcomes(database, reader);
    const same = keys.map((name) => `repeated.${name} = entered.${name}`).join(' AND ');
    const duplicate =
      repeated.length === 0 ? 'FALSE' : `EXISTS (SELECT 1 FROM ${parquetScan(repeated)} AS repeated WHERE ${same})`;
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
  const { key, keep, window } = spec;
  const { reason, columnName, value } = rejectionSql(spec, (feature) => textOf(feature, spec, functions));
  return [
    ...key.map((_, i) => stagedKey(i)),
    ...keep.map((_, i) => stagedKeep(i)),
    'CAST(NULL AS DECIMAL(7, 6)) AS score',
    `${reason} AS reason`,
    `${columnName} AS column_name`,
    `${value} AS value`,
    '0 AS chunk',
    `${literal(window.attempt)} AS attempt`,
    `${literal(window.provider)} AS provider`,
    // The facts belong to the attempt, and there may be no scored row to carry them.
    `${literal(JSON.stringify(window.facts))} AS facts`,
    `CAST(${literal(window.scoredAt)} AS TIMESTAMPTZ) AS scored_at`,
  ].join(', ');
}

/** A rejected value as the text of its own type. `TapColumn.text` covers values that a number cannot represent. */
function textOf(feature: number, { columns, features }: RejectedSpec, { integer, double }: OutcomeFunctions): string {
  const column = columns[feature];
  const text = column?.text === undefined ? [] : [textColumn(feature)];
  const native = features[feature]?.native === 'HUGEINT' ? 'DECIMAL(38, 0)' : features[feature]?.native;
  const number =
    column?.kind === 'category'
      ? []
      : [`CAST(TRY_CAST(${column?.kind === 'int64' ? integer : double}(${ORDINAL}) AS ${native}) AS VARCHAR)`];
  return `coalesce(${[...text, ...number].join(', ')})`;
}

import type { AttemptFacts } from '../domain/attempt-facts.ts';
import type { PublishedClasses } from '../domain/class-columns.ts';
import { REJECTED_ROW, REJECTED_ROWS, rejectedValue } from '../domain/rejected-rows.ts';
import type { Column } from '../domain/schema.ts';
import { isStagedAsText, SKIP_KEY, stagedKeep, stagedKey } from '../domain/staged-columns.ts';
import { SCORE_SCALE } from '../domain/tables.ts';
import { appendInt32 } from '../duckdb/append.ts';
import { canonicalText } from '../duckdb/canonical-text.ts';
import type { Database } from '../duckdb/database.ts';
import { rowGroupBytes, rowGroupsOf } from '../duckdb/row-groups.ts';
import { identifier, literal } from '../duckdb/sql.ts';
import { readRejection } from '../features/rejection.ts';
import type { ClassScores } from './class-scores.ts';
import { setHashKey } from './hashed-value.ts';
import { type RejectionSpec, rejectionSql } from './rejection-sql.ts';
import type { SkipKeys } from './skip-keys.ts';

/** Outcome per row of the chunk, in the chunk's order. */
export interface ChunkResult {
  readonly rows: number;
  /** Millionths; ignored for rejected rows. */
  readonly scores: Int32Array;
  /** See `Rejection`. */
  readonly rejected: Int32Array;
  /** Ignored for rejected rows; undefined if the file has no column `SKIP_KEY`. */
  readonly skipKeys?: SkipKeys | undefined;
  /** Undefined if the file has no columns for classes. */
  readonly classes?: ClassScores | undefined;
}

export interface ScoredFileSpec extends Omit<RejectionSpec, 'rejections'> {
  readonly file: string;
  /** Bytes of the database's memory. */
  readonly memory: number;
  readonly keep: readonly Column[];
  /** Set if the result has classes: their columns follow the kept ones, and are staged under the same kind of names. */
  readonly classes?: PublishedClasses | undefined;
  /** Columns that feed the features, by position of the feature. */
  readonly features: readonly Column[];
  /** Whether the features of rejected rows are in `REJECTED_ROWS`, not in `chunk`. */
  readonly rejectedApart: boolean;
  /** See `Sink.stagesText`. */
  readonly stagesText: boolean;
  /** Number of keys in the table `duplicates` (see `findDuplicates`). */
  readonly duplicates: number;
  readonly chunk: number;
  readonly attempt: string;
  readonly provider: string;
  readonly facts: AttemptFacts;
  /** ISO instant. */
  readonly scoredAt: string;
}

/**
 * Writes the chunk that is loaded in `database`, with its outcomes, to one Parquet file. Row i of the result belongs to row i of
 * the chunk; one thread reads both in order.
 */
export async function writeScoredFile(database: Database, result: ChunkResult, spec: ScoredFileSpec): Promise<void> {
  if (spec.hashKey !== undefined) await setHashKey(database, spec.hashKey);
  const { skipKeys, classes } = result;
  const decimal = `DECIMAL(7, ${SCORE_SCALE})`;
  const skip = skipKeys === undefined ? '' : ', skip_high INTEGER, skip_low UINTEGER';
  const place = classes === undefined ? '' : ', place INTEGER';
  const perClass = classes?.probabilities.map((_, i) => `, class_${i} ${decimal}`).join('') ?? '';
  await database.run(`CREATE OR REPLACE TEMP TABLE result (score ${decimal}, rejected INTEGER${skip}${place}${perClass})`);
  const columns = [
    result.scores,
    result.rejected,
    ...(skipKeys === undefined ? [] : [skipKeys.high, skipKeys.low]),
    ...(classes === undefined ? [] : [classes.label, ...classes.probabilities]),
  ];
  await appendInt32(database, 'result', columns, result.rows);
  const codes = new Set(result.rejected.subarray(0, result.rows));
  codes.delete(0);
  const rejections = [...codes].sort((a, b) => a - b);
  const select = selectScored({ ...spec, rejections, skips: skipKeys !== undefined });
  // DuckDB requires this to bound row groups by bytes. A single thread keeps the rows in order anyway.
  await database.run('SET preserve_insertion_order = false');
  await database.run(
    `COPY (${select}) TO ${literal(spec.file)} (FORMAT parquet, COMPRESSION zstd, ${rowGroupsOf(rowGroupBytes(spec.memory))})`,
  );
  await database.run('SET preserve_insertion_order = true');
}

function selectScored(spec: ScoredFileSpec & RejectionSpec & { readonly skips: boolean }): string {
  const { key, keep, features, classes, rejections, stagesText, chunk, attempt, provider, facts, scoredAt } = spec;
  const { reason, columnName, value } = rejectionSql(spec, (feature) => `CAST(${rejectedValue(feature)} AS VARCHAR)`);
  const involved = [...new Set(rejections.flatMap((code) => readRejection(code).feature ?? []))];
  const keys = key.map((_, i) => stagedKey(i));
  const scored = `CAST(${literal(scoredAt)} AS TIMESTAMPTZ)`;
  const columns = [
    ...key.map((column, i) => ({ column, staged: stagedKey(i) })),
    ...keep.map((column, i) => ({ column, staged: stagedKeep(i) })),
  ];
  const ifScored = (name: string, value = name) =>
    `CASE WHEN NOT null_key AND NOT duplicate AND rejected = 0 THEN ${value} END AS ${name}`;
  const ofClasses = classes?.columns.map((column, i) => ({ column, staged: stagedKeep(keep.length + i) })) ?? [];
  const textOf = (column: Column, staged: string) =>
    stagesText && isStagedAsText(column) ? canonicalText(staged, column) : staged;
  const results = [
    'result.score AS score',
    ...ofClasses.map(({ staged }, i) => `${i === 0 ? labelSql(classes?.labels ?? []) : `result.class_${i - 1}`} AS ${staged}`),
    ...(spec.skips ? [`CAST(result.skip_high AS BIGINT) * ${2 ** 32} + result.skip_low AS ${SKIP_KEY}`] : []),
    'result.rejected AS rejected',
  ];
  const apart = spec.rejectedApart && involved.length > 0;
  const named = [
    ...columns.map(({ column, staged }) => [column.name, staged]),
    ...(apart ? [] : involved.map((position) => [features[position]?.name ?? '', rejectedValue(position)])),
  ];
  return `
    SELECT ${columns.map(({ column, staged }) => `${textOf(column, staged)} AS ${staged}`).join(', ')},
      ${ofClasses.map(({ column, staged }) => `${ifScored(staged, textOf(column, staged))}, `).join('')}
      ${['score', ...(spec.skips ? [SKIP_KEY] : [])].map((name) => ifScored(name)).join(', ')},
      ${reason} AS reason, ${columnName} AS column_name, ${value} AS value,
      CAST(${chunk} AS INTEGER) AS chunk, ${literal(attempt)} AS attempt, ${literal(provider)} AS provider,
      CASE WHEN ${REJECTED_ROW} = 0 THEN ${literal(JSON.stringify(facts))} END AS facts,
      ${stagesText ? canonicalText(scored, { type: 'timestamp' }) : scored} AS scored_at
    FROM (
      SELECT *, ${keys.map((name) => `${name} IS NULL`).join(' OR ')} AS null_key,
        ${spec.duplicates === 0 ? 'FALSE' : `EXISTS (SELECT 1 FROM duplicates WHERE ${keys.map((name) => `duplicates.${name} = placed.${name}`).join(' AND ')})`} AS duplicate
      FROM (
        SELECT ${named.map(([name, alias]) => `chunk.${identifier(name ?? '')} AS ${alias}`).join(', ')},
          ${results.join(', ')}, row_number() OVER () - 1 AS ${REJECTED_ROW}
        FROM chunk POSITIONAL JOIN result
      ) AS placed${apart ? ` LEFT JOIN ${REJECTED_ROWS} USING (${REJECTED_ROW})` : ''}
    )`;
}

/** Expression for the label at an index. */
function labelSql(labels: readonly string[]): string {
  return `[${labels.map(literal).join(', ')}][result.place + 1]`;
}

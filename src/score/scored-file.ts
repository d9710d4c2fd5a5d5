import type { AttemptFacts } from '../domain/attempt-facts.ts';
import { REJECTED_ROW, REJECTED_ROWS, rejectedValue } from '../domain/rejected-rows.ts';
import type { Column } from '../domain/schema.ts';
import { isStagedAsText, stagedKeep, stagedKey } from '../domain/staged-columns.ts';
import { SCORE_SCALE } from '../domain/tables.ts';
import { appendInt32 } from '../duckdb/append.ts';
import { canonicalText } from '../duckdb/canonical-text.ts';
import type { Database } from '../duckdb/database.ts';
import { rowGroupBytes, rowGroupsOf } from '../duckdb/row-groups.ts';
import { identifier, literal } from '../duckdb/sql.ts';
import { readRejection } from '../features/rejection.ts';
import { hashedValue, setHashKey } from './hashed-value.ts';

/** Outcome per row of the chunk, in its order. */
export interface ChunkResult {
  readonly rows: number;
  /** Millionths; ignored where the row was rejected. */
  readonly scores: Int32Array;
  /** See `Rejection`. */
  readonly rejected: Int32Array;
}

export interface ScoredFileSpec {
  readonly file: string;
  /** Bytes of the database's memory. */
  readonly memory: number;
  readonly key: readonly Column[];
  readonly keep: readonly Column[];
  /** Columns that feed the features, by position of the feature. */
  readonly features: readonly Column[];
  readonly featureNames: readonly string[];
  /** Whether the features of rows that were rejected are in `REJECTED_ROWS`, not in `chunk`. */
  readonly rejectedApart: boolean;
  readonly hashValues: boolean;
  readonly hashKey: string | undefined;
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
 * Writes the chunk that is open in `database` with its outcome as one Parquet file. Row i of the result belongs to row i of
 * the chunk, both read in order by one thread. Reasons about the key come first: such a row has no place in any table that
 * is keyed, whatever its features are.
 */
export async function writeScoredFile(database: Database, result: ChunkResult, spec: ScoredFileSpec): Promise<void> {
  if (spec.hashKey !== undefined) await setHashKey(database, spec.hashKey);
  await database.run(`CREATE OR REPLACE TEMP TABLE result (score DECIMAL(7, ${SCORE_SCALE}), rejected INTEGER)`);
  await appendInt32(database, 'result', [result.scores, result.rejected], result.rows);
  const codes = new Set(result.rejected.subarray(0, result.rows));
  codes.delete(0);
  const select = selectScored(
    spec,
    [...codes].sort((a, b) => a - b),
  );
  // Asked of row groups that are bounded by bytes. Rows are read by one thread, which keeps them in step all the same.
  await database.run('SET preserve_insertion_order = false');
  await database.run(
    `COPY (${select}) TO ${literal(spec.file)} (FORMAT parquet, COMPRESSION zstd, ${rowGroupsOf(rowGroupBytes(spec.memory))})`,
  );
  await database.run('SET preserve_insertion_order = true');
}

function selectScored(spec: ScoredFileSpec, codes: readonly number[]): string {
  const { key, keep, features, featureNames, stagesText, chunk, attempt, provider, facts, scoredAt } = spec;
  const known = codes.map((code) => ({ code, ...readRejection(code) }));
  const perCode = (value: (entry: (typeof known)[number]) => string | undefined): string =>
    known.length === 0
      ? 'NULL'
      : `CASE rejected ${known.map((entry) => `WHEN ${entry.code} THEN ${value(entry) ?? 'NULL'}`).join(' ')} END`;
  const ofFeature = (column: (position: number) => string) =>
    perCode(({ feature }) => (feature === undefined ? undefined : column(feature)));
  const involved = [...new Set(known.flatMap(({ feature }) => feature ?? []))];
  const keys = key.map((_, i) => stagedKey(i));
  const scored = `CAST(${literal(scoredAt)} AS TIMESTAMPTZ)`;
  const keyNames = literal(key.map(({ name }) => name).join(', '));
  const columns = [
    ...key.map((column, i) => ({ column, staged: stagedKey(i) })),
    ...keep.map((column, i) => ({ column, staged: stagedKeep(i) })),
  ];
  const apart = spec.rejectedApart && involved.length > 0;
  const named = [
    ...columns.map(({ column, staged }) => [column.name, staged]),
    ...(apart ? [] : involved.map((position) => [features[position]?.name ?? '', rejectedValue(position)])),
  ];
  return `
    SELECT ${columns.map(({ column, staged }) => (stagesText && isStagedAsText(column) ? `${canonicalText(staged, column)} AS ${staged}` : staged)).join(', ')},
      CASE WHEN NOT null_key AND NOT duplicate AND rejected = 0 THEN score END AS score,
      CASE WHEN null_key THEN 'null key' WHEN duplicate THEN 'duplicate key' ELSE ${perCode(({ reason }) => literal(reason))} END AS reason,
      CAST(CASE WHEN null_key OR duplicate THEN ${keyNames} ELSE ${ofFeature((position) => literal(featureNames[position] ?? ''))} END AS VARCHAR) AS column_name,
      CAST(CASE WHEN null_key OR duplicate THEN NULL ELSE ${ofFeature((position) => shown(rejectedValue(position), spec))} END AS VARCHAR) AS value,
      CAST(${chunk} AS INTEGER) AS chunk, ${literal(attempt)} AS attempt, ${literal(provider)} AS provider,
      CASE WHEN ${REJECTED_ROW} = 0 THEN ${literal(JSON.stringify(facts))} END AS facts,
      ${stagesText ? canonicalText(scored, { type: 'timestamp' }) : scored} AS scored_at
    FROM (
      SELECT *, ${keys.map((name) => `${name} IS NULL`).join(' OR ')} AS null_key,
        ${spec.duplicates === 0 ? 'FALSE' : `EXISTS (SELECT 1 FROM duplicates WHERE ${keys.map((name) => `duplicates.${name} = placed.${name}`).join(' AND ')})`} AS duplicate
      FROM (
        SELECT ${named.map(([name, alias]) => `chunk.${identifier(name ?? '')} AS ${alias}`).join(', ')},
          result.score AS score, result.rejected AS rejected, row_number() OVER () - 1 AS ${REJECTED_ROW}
        FROM chunk POSITIONAL JOIN result
      ) AS placed${apart ? ` LEFT JOIN ${REJECTED_ROWS} USING (${REJECTED_ROW})` : ''}
    )`;
}

/** A rejected value as text. */
function shown(column: string, { hashValues, hashKey }: Pick<ScoredFileSpec, 'hashValues' | 'hashKey'>): string {
  const text = `CAST(${column} AS VARCHAR)`;
  return hashValues ? hashedValue(text, hashKey !== undefined) : text;
}

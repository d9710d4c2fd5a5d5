import type { Bands } from '../../domain/bands.ts';
import type { LedgerEntry } from '../../domain/ledger.ts';
import type { Column } from '../../domain/schema.ts';
import { stagedKeep, stagedKey } from '../../domain/staged-columns.ts';
import type { TableLayout } from '../../domain/tables.ts';
import { identifier, literal, parquetScan, tableIdentifier } from '../../duckdb/sql.ts';
import { keyOrder } from './key.ts';
import { duckdbType } from './types.ts';

// One function per statement. Everything after the worker's rounding is integer arithmetic on millionths, so that every
// warehouse and every run computes the same.

const MILLION = 1_000_000;

/** What the rows of a publication have in common, by column. */
function constants(entry: LedgerEntry): Record<string, string> {
  return {
    job: literal(entry.job),
    window_label: literal(entry.window.label),
    window_start: `CAST(${literal(entry.window.start)} AS TIMESTAMPTZ)`,
    window_end: `CAST(${literal(entry.window.end)} AS TIMESTAMPTZ)`,
    window_kind: literal(entry.window.kind),
    run_id: literal(entry.runId),
    model_name: literal(entry.model.name),
    model_version: literal(entry.model.version),
    model_digest: literal(entry.model.digest),
  };
}

/** The scored rows of the pinned attempts as a Parquet file in the order of their ranks, rank included. */
export function writeRanked(staged: readonly string[], key: readonly Column[], keep: readonly Column[], file: string): string {
  const keys = key.map((_, i) => stagedKey(i));
  // Only what is published is sorted: what else staging says of a row would double the width.
  const columns = [...keys, ...keep.map((_, i) => stagedKeep(i)), 'score', 'scored_at'].join(', ');
  return `COPY (
    SELECT *, row_number() OVER () AS rank
    FROM (SELECT ${columns} FROM ${parquetScan(staged)} WHERE score IS NOT NULL ORDER BY score DESC, ${keyOrder(keys)})
  ) TO ${literal(file)} (FORMAT parquet)`;
}

export function deleteWindow(table: TableLayout, entry: LedgerEntry): string {
  const { job, window_start, window_end } = constants(entry);
  return `DELETE FROM ${tableIdentifier(table.name)}
    WHERE job = ${job} AND window_start = ${window_start} AND window_end = ${window_end}`;
}

export interface RankedRows {
  /** Parquet file that `writeRanked` wrote. */
  readonly file: string;
  readonly key: readonly Column[];
  readonly keep: readonly Column[];
  /** Number of scored rows. */
  readonly scored: number;
  readonly bands: Bands;
}

/** For the scores table and, with fewer columns, the report table. */
export function insertScores(table: TableLayout, entry: LedgerEntry, rows: RankedRows): string {
  return insert(table, { ...constants(entry), ...scoreValues(table, rows) }, `FROM ${parquetScan([rows.file])}`);
}

export function insertQuarantine(
  table: TableLayout,
  entry: LedgerEntry,
  staged: readonly string[],
  key: readonly Column[],
): string {
  const values = {
    ...constants(entry),
    ...Object.fromEntries(key.map(({ name }, i) => [name, stagedKey(i)])),
    reason: 'reason',
    column_name: 'column_name',
    value: 'value',
  };
  return insert(table, values, `FROM ${parquetScan(staged)} WHERE reason IS NOT NULL`);
}

/** Users, shares and scores per segment and band; the segment `all` has everybody. */
export function insertSummary(table: TableLayout, entry: LedgerEntry, rows: RankedRows, segments: readonly string[]): string {
  const placed = `(SELECT *, ${bandOf(rows)} AS band FROM ${parquetScan([rows.file])})`;
  const perSegment = [
    { segment: 'all', value: `'all'` },
    ...segments.map((segment) => {
      const position = rows.keep.findIndex(({ name }) => name.toLowerCase() === segment.toLowerCase());
      return { segment: rows.keep[position]?.name ?? segment, value: `CAST(${stagedKeep(position)} AS VARCHAR)` };
    }),
  ].map(
    ({ segment, value }) =>
      `SELECT ${literal(segment)} AS segment, ${value} AS segment_value, band, count(*) AS users,
         CAST(sum(score) * ${MILLION} AS HUGEINT) AS total
       FROM ${placed} GROUP BY ALL`,
  );
  const users = 'CAST(users AS HUGEINT)';
  const everybody = `CAST(sum(users) OVER (PARTITION BY segment, segment_value) AS HUGEINT)`;
  const values = {
    ...constants(entry),
    segment: 'segment',
    segment_value: 'segment_value',
    band: 'band',
    users: 'users',
    share: millionths(`(2 * ${MILLION} * ${users} + ${everybody}) // (2 * ${everybody})`),
    mean_score: millionths(`(2 * total + ${users}) // (2 * ${users})`),
    expected_churners: millionths('total'),
  };
  return insert(table, values, `FROM (${perSegment.join(' UNION ALL ')})`);
}

function insert(table: TableLayout, values: Readonly<Record<string, string>>, from: string): string {
  const columns = table.columns.map((column) => identifier(column.name));
  const selected = table.columns.map((column) => {
    const value = values[column.name];
    if (value === undefined) throw new Error(`no value for ${column.name}`);
    return `CAST(${value} AS ${duckdbType(column)})`;
  });
  return `INSERT INTO ${tableIdentifier(table.name)} (${columns.join(', ')}) SELECT ${selected.join(', ')} ${from}`;
}

function scoreValues(table: TableLayout, rows: RankedRows): Record<string, string> {
  const scoreColumn = table.columns[rows.key.length + rows.keep.length]?.name ?? '';
  return {
    ...Object.fromEntries(rows.key.map(({ name }, i) => [name, stagedKey(i)])),
    ...Object.fromEntries(rows.keep.map(({ name }, i) => [name, stagedKeep(i)])),
    [scoreColumn]: 'score',
    rank: 'rank',
    percentile: `100 - (rank - 1) * 100 // ${rows.scored}`,
    decile: `(rank - 1) * 10 // ${rows.scored} + 1`,
    band: bandOf(rows),
    scored_at: 'scored_at',
  };
}

/** See `Bands` for where a band ends. */
function bandOf({ bands, scored }: RankedRows): string {
  const conditions = bands.bounds.map(({ name, bound }) => {
    const inside =
      bands.by === 'share' ? `(rank - 1) * ${MILLION} < ${BigInt(scored) * BigInt(bound)}` : `score * ${MILLION} >= ${bound}`;
    return `WHEN ${inside} THEN ${literal(name)}`;
  });
  return conditions.length === 0 ? literal(bands.rest) : `CASE ${conditions.join(' ')} ELSE ${literal(bands.rest)} END`;
}

/** A whole number of millionths as a decimal with six places. */
function millionths(value: string): string {
  return `CAST(${value} AS DECIMAL(30, 0)) * 0.000001`;
}

import type { Bands } from '../../domain/bands.ts';
import type { LedgerEntry } from '../../domain/ledger.ts';
import type { Column } from '../../domain/schema.ts';
import { stagedKeep, stagedKey } from '../../domain/staged-columns.ts';
import type { TableLayout } from '../../domain/tables.ts';
import type { Dialect } from '../dialect.ts';
import { instant } from './dialect.ts';
import { isHeldOut } from './holdout.ts';
import { keyOrder } from './key-order.ts';
import { stagedKeys } from './top.ts';
import { inPublication, inWindows } from './windows.ts';

// One function per statement, the same for every warehouse. After the worker has rounded the scores, all arithmetic is on
// whole millionths, so that every warehouse and every run gets the same results.

const MILLION = 1_000_000;

/** Rows of a run that are ready to publish. */
export interface RankedRows {
  /** FROM clause with every scored row of the pinned attempts, its rank if ranked, and the staged column names. */
  readonly from: string;
  readonly key: readonly Column[];
  readonly keep: readonly Column[];
  /** Number of scored rows. */
  readonly scored: number;
  readonly bands: Bands;
  /** For the column `holdout`. */
  readonly holdout?: { readonly share: number; readonly stagesText: boolean } | undefined;
}

/** Deletes the window's earlier publication. @param overlaps publications of overlapping windows, deleted too */
export function deleteWindow(
  dialect: Dialect,
  table: TableLayout,
  ledger: TableLayout,
  { entry, overlaps }: { readonly entry: LedgerEntry; readonly overlaps: readonly Pick<LedgerEntry, 'window'>[] },
): string {
  const windows = [entry, ...overlaps].map(({ window }) => window);
  return `DELETE FROM ${dialect.table(table.name)} WHERE ${inWindows(dialect, table, ledger, { job: entry.job, windows })}`;
}

/** Total number of users in the summary of the entry's window, as text; null if it has no rows. */
export function countSummarized(dialect: Dialect, table: TableLayout, entry: LedgerEntry): string {
  return `SELECT CAST(SUM(users) AS ${dialect.type({ type: 'string' })}) FROM ${dialect.table(table.name)}
    WHERE segment = ${dialect.literal('all')} AND ${inPublication(dialect, table, entry)}`;
}

/** For the scores table and the report table, which has fewer columns. */
export function insertScores(dialect: Dialect, table: TableLayout, entry: LedgerEntry, rows: RankedRows): string {
  return insert(dialect, table, { ...constants(dialect, entry), ...scoreValues(dialect, table, rows) }, `FROM ${rows.from}`);
}

/** @param staged FROM clause with the rows of the pinned attempts */
export function insertQuarantine(
  dialect: Dialect,
  table: TableLayout,
  entry: LedgerEntry,
  { staged, key }: { readonly staged: string; readonly key: readonly Column[] },
): string {
  const values = {
    ...constants(dialect, entry),
    ...Object.fromEntries(key.map(({ name }, i) => [name, stagedKey(i)])),
    reason: 'reason',
    column_name: 'column_name',
    value: 'value',
  };
  return insert(dialect, table, values, `FROM ${staged} WHERE reason IS NOT NULL`);
}

/** Segments per statement: until a statement ends, DuckDB keeps a hash table of 2 MiB per segment and thread. */
const SEGMENTS_AT_ONCE = 8;

/** Statements that insert users, shares and scores per segment and band; the segment `all` covers every user. */
export function insertSummary(
  dialect: Dialect,
  table: TableLayout,
  entry: LedgerEntry,
  { segments, ...rows }: RankedRows & { readonly segments: readonly string[] },
): string[] {
  const statements = Math.max(1, Math.ceil(segments.length / SEGMENTS_AT_ONCE));
  return Array.from({ length: statements }, (_, i) =>
    insertSegments(dialect, table, entry, {
      ...rows,
      segments: segments.slice(i * SEGMENTS_AT_ONCE, (i + 1) * SEGMENTS_AT_ONCE),
      withAll: i === 0,
    }),
  );
}

function insertSegments(
  dialect: Dialect,
  table: TableLayout,
  entry: LedgerEntry,
  { segments, withAll, ...rows }: RankedRows & { readonly segments: readonly string[]; readonly withAll: boolean },
): string {
  const integer = dialect.type({ type: 'integer' });
  const parts = segments.map((segment) => {
    const position = rows.keep.findIndex(({ name }) => name.toLowerCase() === segment.toLowerCase());
    const column = rows.keep[position];
    if (column === undefined) throw new Error(`the segment ${segment} is not kept`);
    const staged = stagedKeep(position);
    // As canonical text, because some sinks stage text and all must write the same.
    return { name: dialect.literal(column.name), staged, value: dialect.text(dialect.identifier(staged), column) };
  });
  const all = dialect.literal('all');
  const perPart = (value: (part: (typeof parts)[number]) => string) =>
    parts.length === 0
      ? all
      : `CASE ${parts.map((part) => `WHEN GROUPING(${part.staged}) = 0 THEN ${value(part)}`).join(' ')} ELSE ${all} END`;
  const columns = [...parts.map(({ staged }) => staged), `${bandOf(dialect, rows)} AS band`, 'score'];
  // One scan of the rows for these segments.
  const sets = [...(withAll ? ['(band)'] : []), ...parts.map(({ staged }) => `(${staged}, band)`)];
  const totals = `SELECT ${perPart(({ name }) => name)} AS segment, ${perPart(({ value }) => value)} AS segment_value, band,
      COUNT(*) AS users, CAST(SUM(score) * ${MILLION} AS ${integer}) AS total
    FROM (SELECT ${columns.join(', ')} FROM ${rows.from}) placed
    GROUP BY GROUPING SETS (${sets.join(', ')})`;
  const counted = `SELECT totals.*, CAST(SUM(users) OVER (PARTITION BY segment, segment_value) AS ${integer}) AS everybody FROM (${totals}) totals`;
  const values = {
    ...constants(dialect, entry),
    segment: 'segment',
    segment_value: 'segment_value',
    band: 'band',
    users: 'users',
    share: millionths(dialect, dialect.quotient(`${2 * MILLION} * users + everybody`, '2 * everybody')),
    mean_score: millionths(dialect, dialect.quotient('2 * total + users', '2 * users')),
    expected_churners: millionths(dialect, 'total'),
  };
  return insert(dialect, table, values, `FROM (${counted}) counted`);
}

/** The columns of ranked rows: the part of a staged row that is published. */
export function rankedColumns(key: readonly Column[], keep: readonly Column[]): string[] {
  return [...key.map((_, i) => stagedKey(i)), ...keep.map((_, i) => stagedKeep(i)), 'score', 'scored_at'];
}

/**
 * Selects the scored rows with their ranks without one global sort. A rank is the number of rows with a higher score,
 * counted over the distinct scores, plus the position among rows with the same score.
 *
 * @param staged FROM clause with the rows of the pinned attempts, from a sink that `stagesText`
 */
export function selectRanked(dialect: Dialect, staged: string, key: readonly Column[], keep: readonly Column[]): string {
  const order = keyOrder(dialect, key, true);
  const columns = rankedColumns(key, keep);
  return `WITH scored AS (SELECT ${columns.join(', ')} FROM ${staged} WHERE score IS NOT NULL),
    counted AS (SELECT score AS step, COUNT(*) AS users FROM scored GROUP BY score),
    steps AS (SELECT step, SUM(users) OVER (ORDER BY step DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) - users AS above FROM counted)
    SELECT ${columns.join(', ')},
      CAST(above + ROW_NUMBER() OVER (PARTITION BY score ORDER BY ${order.join(', ')}) AS ${dialect.type({ type: 'integer' })}) AS rank
    FROM scored JOIN steps ON score = step`;
}

/** Selects the scored rows when no table has ranks; see `selectRanked`. */
export function selectScored(staged: string, key: readonly Column[], keep: readonly Column[]): string {
  return `SELECT ${rankedColumns(key, keep).join(', ')} FROM ${staged} WHERE score IS NOT NULL`;
}

/** Values that all rows of a publication share, by column. @param entry with its publication number */
export function constants(dialect: Dialect, entry: LedgerEntry): Record<string, string> {
  const { literal } = dialect;
  return {
    job: literal(entry.job),
    window_label: literal(entry.window.label),
    window_start: instant(dialect, entry.window.start),
    window_end: instant(dialect, entry.window.end),
    window_kind: literal(entry.window.kind),
    run_id: literal(entry.runId),
    publication: String(entry.publication ?? 'NULL'),
    model_name: literal(entry.model.name),
    model_version: literal(entry.model.version),
    model_digest: literal(entry.model.digest),
  };
}

export function insert(dialect: Dialect, table: TableLayout, values: Readonly<Record<string, string>>, from: string): string {
  const columns = table.columns.map((column) => dialect.identifier(column.name));
  const selected = table.columns.map((column) => {
    const value = values[column.name];
    if (value === undefined) throw new Error(`no value for ${column.name}`);
    return `CAST(${value} AS ${dialect.type(column)})`;
  });
  return `INSERT INTO ${dialect.table(table.name)} (${columns.join(', ')}) SELECT ${selected.join(', ')} ${from}`;
}

function scoreValues(dialect: Dialect, table: TableLayout, rows: RankedRows): Record<string, string> {
  const scoreColumn = table.columns[rows.key.length + rows.keep.length]?.name ?? '';
  return {
    ...Object.fromEntries(rows.key.map(({ name }, i) => [name, stagedKey(i)])),
    ...Object.fromEntries(rows.keep.map(({ name }, i) => [name, stagedKeep(i)])),
    [scoreColumn]: 'score',
    rank: 'rank',
    percentile: `100 - ${dialect.quotient('(rank - 1) * 100', String(rows.scored))}`,
    decile: `${dialect.quotient('(rank - 1) * 10', String(rows.scored))} + 1`,
    band: bandOf(dialect, rows),
    scored_at: 'scored_at',
    ...Object.fromEntries(table.columns.flatMap(({ name }) => (/^reason_\d+$/.test(name) ? [[name, name]] : []))),
    ...(rows.holdout && { holdout: isHeldOut(dialect, stagedKeys(rows.key, rows.holdout.stagesText), rows.holdout.share) }),
  };
}

/** See `Bands` for the bounds of a band. Bands by share need `rank`, those by threshold only `score`. */
export function bandOf({ literal }: Dialect, { bands, scored }: Pick<RankedRows, 'bands' | 'scored'>): string {
  const conditions = bands.bounds.map(({ name, bound }) => {
    const inside =
      bands.by === 'share' ? `(rank - 1) * ${MILLION} < ${BigInt(scored) * BigInt(bound)}` : `score * ${MILLION} >= ${bound}`;
    return `WHEN ${inside} THEN ${literal(name)}`;
  });
  return conditions.length === 0 ? literal(bands.rest) : `CASE ${conditions.join(' ')} ELSE ${literal(bands.rest)} END`;
}

/** A whole number of millionths as a decimal with six places. */
export function millionths(dialect: Dialect, value: string): string {
  const decimal = (digits: readonly [number, number]) => dialect.type({ type: 'decimal', digits });
  return `CAST(${value} AS ${decimal([24, 0])}) * CAST('0.000001' AS ${decimal([7, 6])})`;
}

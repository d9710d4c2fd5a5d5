import type { LedgerEntry } from '../../domain/ledger.ts';
import type { AttemptTally } from '../../domain/reconciliation.ts';
import type { Column } from '../../domain/schema.ts';
import { stagedColumn, stagedKeep, stagedKey } from '../../domain/staged-columns.ts';
import { SCORE_SCALE, type TableLayout } from '../../domain/tables.ts';
import type { Dialect } from '../dialect.ts';
import type { PublicationSpec } from '../publication-spec.ts';
import { checksumSums, keyHash } from './dialect.ts';
import { inPublication } from './windows.ts';

// Proves that the published rows are the rows counted in staging. Sums of hashes over the canonical text of each row are
// computed over the staged rows, and again over the published ones inside the transaction.

/** Sums of row hashes, as decimal text. */
export interface Content {
  readonly scored: string;
  readonly rejected: string;
}

/** The form stored in an `AttemptTally`. */
export function showContent({ scored, rejected }: Content): string {
  return `${scored} ${rejected}`;
}

/** Sums over all attempts to publish. */
function sumContent(pinned: readonly Pick<AttemptTally, 'content'>[]): Content {
  const sums = pinned.map(({ content }) => content.split(' ').map(BigInt));
  const sum = (position: number) => String(sums.reduce((total, parts) => total + (parts[position] ?? 0n), 0n));
  return { scored: sum(0), rejected: sum(1) };
}

/**
 * Hash of a scored row.
 *
 * @param columns key and kept columns as named in the relation
 * @param score name of the score column
 */
export function scoreHash(dialect: Dialect, columns: readonly Column[], score: string): string {
  return keyHash(dialect, [...columns, { name: score, type: 'decimal', native: 'score', digits: [7, SCORE_SCALE] }]);
}

/** Hash of a rejected row. @param key columns as named in the relation */
export function rejectionHash(dialect: Dialect, key: readonly Column[]): string {
  const rejection = ['reason', 'column_name', 'value'].map((name): Column => ({ name, type: 'string', native: 'text' }));
  return keyHash(dialect, [...key, ...rejection]);
}

/**
 * Number of rows of the entry's publication in a published table, and the two sums of their hashes, as one row of three
 * strings.
 *
 * @param entry with its publication number
 */
export function countContent(
  dialect: Dialect,
  { table, hash, ofRun }: Pick<ExpectedRows, 'table' | 'hash' | 'ofRun'>,
  entry: LedgerEntry,
): string {
  const published = inPublication(dialect, table, entry);
  return countRows(dialect, table, ofRun ? `${published} AND run_id = ${dialect.literal(entry.runId)}` : published, hash);
}

/** As `countContent`, for rows of a table that meet a condition. */
export function countRows(dialect: Dialect, table: TableLayout, condition: string, hash: string): string {
  return countIn(dialect, dialect.table(table.name), condition, hash);
}

/** As `countContent`, for the scored rows of the pinned attempts. @param staged FROM clause with these attempts, from a sink that `stagesText` */
export function countStaged(dialect: Dialect, staged: string, { key, keep }: Pick<PublicationSpec, 'key' | 'keep'>): string {
  const columns = [
    ...key.map((column, i) => stagedColumn(column, stagedKey(i))),
    ...keep.map((column, i) => stagedColumn(column, stagedKeep(i))),
  ];
  return countIn(dialect, staged, 'score IS NOT NULL', scoreHash(dialect, columns, 'score'));
}

function countIn(dialect: Dialect, from: string, condition: string, hash: string): string {
  const text = dialect.type({ type: 'string' });
  const counts = ['COUNT(*)', ...checksumSums(dialect, hash).map((sum) => `COALESCE(${sum}, 0)`)];
  return `SELECT ${counts.map((count, i) => `CAST(${count} AS ${text}) AS ${['row_count', 'high', 'low'][i]}`).join(', ')}
    FROM ${from} WHERE ${condition}`;
}

/** The counted number and sums of the pinned attempts' scored rows. */
export function expectedStaged({
  entry,
  pinned,
}: Pick<PublicationSpec, 'entry' | 'pinned'>): Pick<ExpectedRows, 'rows' | 'checksum'> {
  return { rows: entry.rows?.scored ?? 0, checksum: sumContent(pinned).scored };
}

/** A published table and the expected rows of the window. */
export interface ExpectedRows {
  readonly table: TableLayout;
  readonly rows: number;
  /** Sum of the rows' hashes, decimal; undefined if only their number is known. */
  readonly checksum: string | undefined;
  /** Hash of a row, as an expression over the table's columns. */
  readonly hash: string;
  /** Whether to count only rows of the entry's run, because the table also has rows of earlier ones. */
  readonly ofRun: boolean;
}

/**
 * What scores, quarantine and report must hold after they are written. `report` is undefined for a window without a report. The
 * current table has no rows of a window; see `currentFaults` for what else must hold for it and its quarantine.
 */
export function expectedRows(
  dialect: Dialect,
  spec: Pick<PublicationSpec, 'entry' | 'pinned' | 'key' | 'keep' | 'restored' | 'current'>,
  { scores, quarantine, report }: Record<'scores' | 'quarantine', TableLayout> & { readonly report: TableLayout | undefined },
): ExpectedRows[] {
  const { entry, pinned, key, keep, restored, current } = spec;
  const { scored, rejected } = restored === undefined ? sumContent(pinned) : {};
  const score = scores.columns[key.length + keep.length]?.name ?? '';
  const published = {
    ...{ rows: entry.rows?.scored ?? 0, checksum: scored, ofRun: false },
    hash: scoreHash(dialect, [...key, ...keep], score),
  };
  return [
    ...(current === undefined ? [{ table: scores, ...published }] : []),
    ...(report === undefined ? [] : [{ table: report, ...published }]),
    {
      ...{ table: quarantine, rows: entry.rows?.quarantined ?? 0, checksum: rejected, ofRun: current !== undefined },
      hash: rejectionHash(dialect, key),
    },
  ];
}

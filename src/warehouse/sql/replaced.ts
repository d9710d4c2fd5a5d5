import type { LedgerEntry, LedgerWindow } from '../../domain/ledger.ts';
import type { TableLayout } from '../../domain/tables.ts';
import type { Dialect } from '../dialect.ts';
import type { PublicationSpec } from '../publication-spec.ts';
import { countRows, rejectionHash, scoreHash } from './content.ts';
import { instant } from './dialect.ts';
import { inPublication, inWindows, isWindow } from './windows.ts';

// Kept publications: rows that a publication replaces move to `<table>_replaced` in the same transaction, and a rollback moves
// them back. Separate columns name the publication of a kept row, whatever the table's layout; see `replacedLayout`.

/** A table, and the table that keeps its replaced rows; both with full names. */
export interface KeptTable {
  readonly table: TableLayout;
  readonly kept: TableLayout;
}

/** A publication whose rows are replaced. */
export interface ReplacedPublication {
  readonly window: LedgerWindow;
  readonly number: number;
  readonly runId: string;
}

/** The publications that this one replaces: the window's own, and those of overlapping windows. */
export function replacedPublications({
  entry,
  supersedes,
  overlaps,
}: Pick<PublicationSpec, 'entry' | 'supersedes' | 'overlaps'>): ReplacedPublication[] {
  return [
    ...(supersedes === undefined ? [] : [{ ...supersedes, window: entry.window }]),
    ...overlaps.map(({ window, publication, runId }) => ({ window, runId, number: publication })),
  ];
}

/** Copies the rows of a publication to the table that keeps them. */
export function keepRows(
  dialect: Dialect,
  { table, kept }: KeptTable,
  ledger: TableLayout,
  { entry, replaced: { window, number, runId } }: { readonly entry: LedgerEntry; readonly replaced: ReplacedPublication },
): string {
  const marks: Readonly<Record<string, string>> = {
    replaced_job: dialect.literal(entry.job),
    replaced_window_start: instant(dialect, window.start),
    replaced_window_end: instant(dialect, window.end),
    replaced_publication: String(number),
    replaced_run_id: dialect.literal(runId),
    replaced_at: instant(dialect, entry.recordedAt),
  };
  const columns = kept.columns.map(({ name }) => dialect.identifier(name));
  const values = kept.columns.map((column) =>
    marks[column.name] === undefined
      ? dialect.identifier(column.name)
      : `CAST(${marks[column.name]} AS ${dialect.type(column)})`,
  );
  return `INSERT INTO ${dialect.table(kept.name)} (${columns.join(', ')}) SELECT ${values.join(', ')}
    FROM ${dialect.table(table.name)} WHERE ${inWindows(dialect, table, ledger, { job: entry.job, windows: [window] })}`;
}

/** Counts the rows that `keepRows` copies, as text. */
export function countToKeep(
  dialect: Dialect,
  { table }: KeptTable,
  ledger: TableLayout,
  { entry, replaced: { window } }: { readonly entry: LedgerEntry; readonly replaced: ReplacedPublication },
): string {
  return `SELECT ${countText(dialect)} FROM ${dialect.table(table.name)}
    WHERE ${inWindows(dialect, table, ledger, { job: entry.job, windows: [window] })}`;
}

/** Counts the kept rows of a publication, as text. */
export function countKept(dialect: Dialect, { kept }: KeptTable, job: string, { window, number }: ReplacedPublication): string {
  return `SELECT ${countText(dialect)} FROM ${dialect.table(kept.name)} WHERE ${isKept(dialect, kept, { job, window }, number)}`;
}

/**
 * Statements that move a kept publication of the entry's window back into its table, byte for byte except for the publication
 * number of a slim table.
 *
 * @param entry with its publication number
 * @param publication number of the kept publication
 */
export function restoreRows(dialect: Dialect, { table, kept }: KeptTable, entry: LedgerEntry, publication: number): string[] {
  const columns = table.columns.map(({ name }) => dialect.identifier(name));
  const values = table.columns.map((column) =>
    column.name === 'publication'
      ? `CAST(${entry.publication ?? 'NULL'} AS ${dialect.type(column)})`
      : dialect.identifier(column.name),
  );
  const from = `FROM ${dialect.table(kept.name)} WHERE ${isKept(dialect, kept, entry, publication)}`;
  return [
    `INSERT INTO ${dialect.table(table.name)} (${columns.join(', ')}) SELECT ${values.join(', ')} ${from}`,
    `DELETE ${from}`,
  ];
}

/** Deletes a kept publication of the entry's window. */
export function dropOneKept(dialect: Dialect, { kept }: KeptTable, entry: LedgerEntry, publication: number): string {
  return `DELETE FROM ${dialect.table(kept.name)} WHERE ${isKept(dialect, kept, entry, publication)}`;
}

/** Deletes kept publications of the entry's window except these. */
export function dropKept(dialect: Dialect, { kept }: KeptTable, entry: LedgerEntry, publications: readonly number[]): string {
  const others = publications.length === 0 ? '' : ` AND replaced_publication NOT IN (${publications.join(', ')})`;
  return `DELETE FROM ${dialect.table(kept.name)} WHERE ${isKeptOf(dialect, kept, entry)}${others}`;
}

/** Deletes kept rows of a job that were replaced before an instant (ISO string). */
export function dropAged(dialect: Dialect, kept: TableLayout, job: string, before: string): string {
  return `DELETE FROM ${dialect.table(kept.name)} WHERE ${isAged(dialect, job, before)}`;
}

/** Counts kept rows of a job that were replaced before an instant (ISO string), as text. */
export function countAged(dialect: Dialect, kept: TableLayout, job: string, before: string): string {
  return `SELECT ${countText(dialect)} FROM ${dialect.table(kept.name)} WHERE ${isAged(dialect, job, before)}`;
}

/** Selects number and row count of each kept publication of a window, as text. */
export function selectKept(dialect: Dialect, kept: TableLayout, entry: Pick<LedgerEntry, 'job' | 'window'>): string {
  const text = dialect.type({ type: 'string' });
  return `SELECT CAST(replaced_publication AS ${text}) AS number_text, CAST(COUNT(*) AS ${text}) AS row_count
    FROM ${dialect.table(kept.name)} WHERE ${isKeptOf(dialect, kept, entry)} GROUP BY replaced_publication`;
}

/** Tables whose rows make up the content of a publication. */
export type ContentTables = Readonly<Record<'scores' | 'quarantine', TableLayout>>;

/**
 * Expression for the content of a publication as one string: rows and checksums of scores and quarantine, without run ids and
 * times. Equal for publications with equal content, within one warehouse.
 *
 * @param entry with its publication number
 */
export function publishedContent(
  dialect: Dialect,
  tables: ContentTables,
  { entry, key, keep }: Pick<PublicationSpec, 'entry' | 'key' | 'keep'>,
): string {
  return contentText(dialect, tables, { key, keep }, (table) => inPublication(dialect, table, entry));
}

/** As `publishedContent`, for a kept publication of the entry's window. @param tables that keep replaced rows */
export function keptContent(
  dialect: Dialect,
  tables: ContentTables,
  { entry, key, keep }: Pick<PublicationSpec, 'entry' | 'key' | 'keep'>,
  publication: number,
): string {
  return contentText(dialect, tables, { key, keep }, (table) => isKept(dialect, table, entry, publication));
}

function contentText(
  dialect: Dialect,
  { scores, quarantine }: ContentTables,
  { key, keep }: Pick<PublicationSpec, 'key' | 'keep'>,
  condition: (table: TableLayout) => string,
): string {
  const score = scores.columns[key.length + keep.length]?.name ?? '';
  const shown = (table: TableLayout, hash: string) =>
    `(SELECT CONCAT(row_count, ' ', high, ' ', low) FROM (${countRows(dialect, table, condition(table), hash)}) counted)`;
  return `CONCAT(${shown(scores, scoreHash(dialect, [...key, ...keep], score))}, ' ', ${shown(quarantine, rejectionHash(dialect, key))})`;
}

/** Expression for the number and sum of a publication's scores as one string: cheap, and usually enough to see a difference. */
export function publishedSum(dialect: Dialect, scores: TableLayout, { entry, key, keep }: PublicationSpec): string {
  return sumText(dialect, scores, scores.columns[key.length + keep.length]?.name ?? '', inPublication(dialect, scores, entry));
}

/** As `publishedSum`, for a kept publication of the entry's window. */
export function keptSum(
  dialect: Dialect,
  kept: TableLayout,
  { entry, key, keep }: PublicationSpec,
  publication: number,
): string {
  return sumText(dialect, kept, kept.columns[key.length + keep.length]?.name ?? '', isKept(dialect, kept, entry, publication));
}

function sumText(dialect: Dialect, { name }: TableLayout, score: string, condition: string): string {
  const text = dialect.type({ type: 'string' });
  return `(SELECT CONCAT(CAST(COUNT(*) AS ${text}), ' ', COALESCE(CAST(SUM(${dialect.identifier(score)}) AS ${text}), ''))
    FROM ${dialect.table(name)} WHERE ${condition})`;
}

function countText(dialect: Dialect): string {
  return `CAST(COUNT(*) AS ${dialect.type({ type: 'string' })}) AS row_count`;
}

/** Condition: the row belongs to this kept publication of the entry's window. */
export function isKept(
  dialect: Dialect,
  kept: TableLayout,
  entry: Pick<LedgerEntry, 'job' | 'window'>,
  publication: number,
): string {
  return `${isKeptOf(dialect, kept, entry)} AND replaced_publication = ${publication}`;
}

/** Filters by the window's own columns, too, so that a partitioned table reads little. */
function isKeptOf(dialect: Dialect, kept: TableLayout, { job, window }: Pick<LedgerEntry, 'job' | 'window'>): string {
  return `replaced_job = ${dialect.literal(job)} AND ${isWindow(dialect, kept, window)}
    AND replaced_window_start = ${instant(dialect, window.start)} AND replaced_window_end = ${instant(dialect, window.end)}`;
}

function isAged(dialect: Dialect, job: string, before: string): string {
  return `replaced_job = ${dialect.literal(job)} AND replaced_at < ${instant(dialect, before)}`;
}

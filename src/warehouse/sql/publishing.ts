import { currentPublication, type LedgerEntry } from '../../domain/ledger.ts';
import { isSameWindow, keptNumbers, nextNumber, supersededEntry } from '../../domain/publications.ts';
import { replacedLayout } from '../../domain/replaced-tables.ts';
import type { TableLayout } from '../../domain/tables.ts';
import type { Dialect } from '../dialect.ts';
import type { CurrentChange, PublicationSpec } from '../publication-spec.ts';
import { superseded } from '../superseded.ts';
import { refuseOverlap } from './clashes.ts';
import { insertDrift } from './drift-rows.ts';
import { insertEntry } from './ledger.ts';
import { deleteWindow, insertQuarantine, insertScores, insertSummary, type RankedRows } from './publication.ts';
import {
  dropKept,
  dropOneKept,
  type KeptTable,
  keepRows,
  keptContent,
  keptSum,
  publishedContent,
  publishedSum,
  replacedPublications,
  restoreRows,
} from './replaced.ts';

// The steps of a publication, the same for every warehouse: take the publish lock, read the ledger and number the entry
// (`nextEntry`), look for conflicts (see `countClashes`), replace the rows (`replaceRows`), compare them with what was
// counted in staging, and append to the ledger (`appendEntries`). All of it is one transaction; each warehouse runs it in
// its own way.

/** Tables of a publication with their full names. */
export interface PublicationTables {
  readonly ledger: TableLayout;
  readonly scores: TableLayout;
  readonly quarantine: TableLayout;
  /** Report, summary and drift if the window has them. */
  readonly report: TableLayout | undefined;
  readonly summary: TableLayout | undefined;
  readonly drift: TableLayout | undefined;
  /**
   * Those of the three that exist although the window has none. The job's grain may have changed, so the window's rows in them
   * are deleted.
   */
  readonly others: readonly TableLayout[];
  /** Whether `scores` is the current table, in which rows belong to users instead of windows. */
  readonly current: boolean;
  /** Where a slice copies the current table, and the instant that the copy is for. */
  readonly boundary: CurrentChange['boundary'];
  /** Where replaced rows are kept; empty if there is nothing to keep or to restore. Scores and quarantine come first. */
  readonly kept: readonly KeptTable[];
}

/**
 * @param fullName returns a layout with its full name
 * @param exists whether there is such a table
 */
export async function publicationTables(
  spec: PublicationSpec,
  fullName: (layout: TableLayout) => TableLayout,
  exists: (table: TableLayout) => Promise<boolean>,
): Promise<PublicationTables> {
  const { tables, reported } = spec;
  const { ledger, scores, quarantine, report, summary, drift } = tables;
  const optional = [report && fullName(report), summary && fullName(summary), drift && fullName(drift)] as const;
  const others: TableLayout[] = [];
  if (!reported) for (const table of optional) if (table && (await exists(table))) others.push(table);
  const targets = {
    ledger: fullName(ledger),
    scores: fullName(scores),
    quarantine: fullName(quarantine),
    report: reported ? optional[0] : undefined,
    summary: reported ? optional[1] : undefined,
    drift: reported ? optional[2] : undefined,
    others,
    current: spec.current !== undefined,
    boundary: spec.current?.boundary && { ...spec.current.boundary, table: fullName(spec.current.boundary.table) },
    kept: [],
  };
  const replaces = spec.history > 0 && replacedPublications(spec).length > 0;
  if (!replaces && spec.restored === undefined) return targets;
  const kept = [...writtenTables(targets), ...others].map((table) => ({ table, kept: replacedLayout(table) }));
  return { ...targets, kept };
}

/** The tables that get rows of the window, except the ledger and the current table. */
export function writtenTables({
  scores,
  quarantine,
  report,
  summary,
  drift,
  current,
}: Omit<PublicationTables, 'others' | 'kept'>): TableLayout[] {
  return [current ? undefined : scores, quarantine, report, summary, drift].filter((table) => table !== undefined);
}

/** The tables whose columns must match, except the ledger: those that get rows, and those that keep replaced rows. */
export function neededTables(tables: PublicationTables): TableLayout[] {
  const { scores, current, boundary, kept } = tables;
  const ofCurrent = current ? [scores, ...(boundary ? [boundary.table] : [])] : [];
  return [...ofCurrent, ...writtenTables(tables), ...kept.map((one) => one.kept)];
}

/** How a publication continues the ledger, which was read under the publish lock. */
export interface NextPublication {
  /** The entry with its publication number. */
  readonly entry: LedgerEntry;
  /** Numbers of the replaced publications of the window that stay kept. */
  readonly keep: readonly number[];
}

/**
 * @param entries of the job, for all windows near the entry's
 * @returns undefined if this very run is already published
 * @throws ScoreBatchError `conflict` if another run published first
 */
export function nextPublication(entries: readonly LedgerEntry[], spec: PublicationSpec): NextPublication | undefined {
  const { entry, supersedes, overlaps, history, restored } = spec;
  const current = currentPublication(entries.filter(({ window }) => isSameWindow(window, entry.window)));
  if (current?.runId === entry.runId) return undefined;
  if (current?.number !== supersedes?.number) throw superseded(entry.window.label, current?.runId);
  refuseOverlap(entries, spec);
  return {
    entry: { ...entry, publication: nextNumber(entries, entry.window, overlaps) },
    keep: keptNumbers(entries, entry.window, { history, restored }),
  };
}

/** The rows to publish. */
interface RowsToPublish {
  readonly ranked: RankedRows;
  /** FROM clause with the rows of the pinned attempts; it must include all rejected ones. */
  readonly staged: string;
}

/**
 * Statements that replace the rows of the window and of those that it supersedes.
 *
 * @param spec with the publication number in its entry
 * @param rows undefined for a window without rows
 * @param fence condition without which no row changes; `rows.ranked` must have it too
 */
export function replaceRows(
  dialect: Dialect,
  tables: PublicationTables,
  spec: PublicationSpec,
  { rows, fence }: { readonly rows: RowsToPublish | undefined; readonly fence?: string },
): string[] {
  const { entry, key, segments, restored } = spec;
  const { ledger, scores, quarantine, report, summary, drift, others, kept } = tables;
  const fenced = (statement: string) => (fence === undefined ? statement : `${statement} AND ${fence}`);
  const keeps =
    spec.history === 0
      ? []
      : replacedPublications(spec).flatMap((replaced) =>
          kept.map((one) => fenced(keepRows(dialect, one, ledger, { entry, replaced }))),
        );
  const deletes = [...writtenTables(tables), ...others].map((table) => fenced(deleteWindow(dialect, table, ledger, spec)));
  const moved = [...keeps, ...deletes];
  if (restored !== undefined)
    return [...moved, ...kept.flatMap((one) => restoreRows(dialect, one, entry, restored).map(fenced))];
  if (rows === undefined) return moved;
  return [
    ...moved,
    insertScores(dialect, scores, entry, rows.ranked),
    fenced(insertQuarantine(dialect, quarantine, entry, { staged: rows.staged, key })),
    ...(report ? [insertScores(dialect, report, entry, rows.ranked)] : []),
    ...(summary ? insertSummary(dialect, summary, entry, { ...rows.ranked, segments }) : []),
    ...(drift && spec.drift ? insertDrift(dialect, drift, entry, spec.drift).map(fenced) : []),
  ];
}

/** What to keep of a window after a publication. */
export interface Trimming {
  /** Numbers of the replaced publications to keep. */
  readonly keep: readonly number[];
  /**
   * Whether the publication has the same content as the one that it replaces. That one is then not kept, and older ones stay.
   */
  readonly repeats: boolean;
  readonly fence?: string;
}

/** Statements that delete what should not be kept. @param spec as for `replaceRows` */
export function trimKept(
  dialect: Dialect,
  { kept }: PublicationTables,
  { entry, supersedes }: PublicationSpec,
  { keep, repeats, fence }: Trimming,
): string[] {
  return kept.map((one) => {
    const statement =
      repeats && supersedes !== undefined
        ? dropOneKept(dialect, one, entry, supersedes.number)
        : dropKept(dialect, one, entry, keep);
    return fence === undefined ? statement : `${statement} AND ${fence}`;
  });
}

/**
 * Expressions for conditions that are all true if the publication has the same content as the one that it replaces; the first
 * is cheap. Empty if nothing is kept. @param spec with the publication number in its entry
 */
export function repeatsReplaced(dialect: Dialect, tables: PublicationTables, spec: PublicationSpec): string[] {
  const [scores, quarantine] = tables.kept;
  const { supersedes, restored, history } = spec;
  if (supersedes === undefined || restored !== undefined || history === 0 || scores === undefined || quarantine === undefined)
    return [];
  const kept = { scores: scores.kept, quarantine: quarantine.kept };
  return [
    `${publishedSum(dialect, scores.table, spec)} = ${keptSum(dialect, scores.kept, spec, supersedes.number)}`,
    `${publishedContent(dialect, tables, spec)} = ${keptContent(dialect, kept, spec, supersedes.number)}`,
  ];
}

/** The entry, marked if its publication repeats another one's content. */
export function repeating(entry: LedgerEntry, { supersedes }: PublicationSpec, repeats: boolean): LedgerEntry {
  return repeats && supersedes !== undefined ? { ...entry, details: { ...entry.details, repeats: supersedes.number } } : entry;
}

/**
 * Expression for a condition: the publication has the content of one that was rolled back; see `PublicationSpec.rolledBack`.
 *
 * @param spec with the publication number in its entry
 * @returns undefined if none was
 */
export function repeatsRolledBack(dialect: Dialect, tables: PublicationTables, spec: PublicationSpec): string | undefined {
  const { rolledBack = [] } = spec;
  if (rolledBack.length === 0) return undefined;
  return `${publishedContent(dialect, tables, spec)} IN (${rolledBack.map(({ content }) => dialect.literal(content)).join(', ')})`;
}

/**
 * Statements that append to the ledger: first the superseded publications, then the new one. @param spec as for `replaceRows`
 */
export function appendEntries(
  dialect: Dialect,
  { ledger }: PublicationTables,
  { entry, overlaps }: PublicationSpec,
  fence?: string,
): string[] {
  return [...overlaps.map((run) => supersededEntry(run, entry)), entry].map((one) => {
    const statement = insertEntry(dialect, ledger, one);
    return fence === undefined ? statement : `${statement} HAVING ${fence}`;
  });
}

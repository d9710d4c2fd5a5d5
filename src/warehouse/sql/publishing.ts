import { currentPublication, type LedgerEntry } from '../../domain/ledger.ts';
import { isSameWindow, nextNumber, supersededEntry } from '../../domain/publications.ts';
import type { TableLayout } from '../../domain/tables.ts';
import type { Dialect } from '../dialect.ts';
import type { PublicationSpec } from '../publication-spec.ts';
import { superseded } from '../superseded.ts';
import { refuseOverlap } from './clashes.ts';
import { insertDrift } from './drift-rows.ts';
import { insertEntry } from './ledger.ts';
import { deleteWindow, insertQuarantine, insertScores, insertSummary, type RankedRows } from './publication.ts';

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
  /** Those that exist if the window has none. The job's grain can have changed, so its rows in them are deleted. */
  readonly others: readonly TableLayout[];
}

/**
 * @param fullName returns a layout with its full name
 * @param exists whether there is such a table
 */
export async function publicationTables(
  { tables, reported }: Pick<PublicationSpec, 'tables' | 'reported'>,
  fullName: (layout: TableLayout) => TableLayout,
  exists: (table: TableLayout) => Promise<boolean>,
): Promise<PublicationTables> {
  const { ledger, scores, quarantine, report, summary, drift } = tables;
  const optional = [report && fullName(report), summary && fullName(summary), drift && fullName(drift)] as const;
  const others: TableLayout[] = [];
  if (!reported) for (const table of optional) if (table && (await exists(table))) others.push(table);
  return {
    ledger: fullName(ledger),
    scores: fullName(scores),
    quarantine: fullName(quarantine),
    report: reported ? optional[0] : undefined,
    summary: reported ? optional[1] : undefined,
    drift: reported ? optional[2] : undefined,
    others,
  };
}

/** The tables that get rows, without the ledger. */
export function writtenTables({ scores, quarantine, report, summary, drift }: PublicationTables): TableLayout[] {
  return [scores, quarantine, report, summary, drift].filter((table) => table !== undefined);
}

/**
 * @param entries of the job, for all windows near the entry's
 * @returns the entry with its publication number; undefined if this very run is published already
 * @throws ScoreBatchError `conflict` if another run published first
 */
export function nextEntry(entries: readonly LedgerEntry[], spec: PublicationSpec): LedgerEntry | undefined {
  const { entry, supersedes, overlaps } = spec;
  const current = currentPublication(entries.filter(({ window }) => isSameWindow(window, entry.window)));
  if (current?.runId === entry.runId) return undefined;
  if (current?.runId !== supersedes) throw superseded(entry.window.label, current?.runId);
  refuseOverlap(entries, spec);
  return { ...entry, publication: nextNumber(entries, entry.window, overlaps) };
}

/** The rows to publish. */
interface RowsToPublish {
  readonly ranked: RankedRows;
  /** FROM clause with the rows of the pinned attempts, at least all that are rejected. */
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
  const { entry, key, segments } = spec;
  const { ledger, scores, quarantine, report, summary, drift, others } = tables;
  const fenced = (statement: string) => (fence === undefined ? statement : `${statement} AND ${fence}`);
  const deletes = [...writtenTables(tables), ...others].map((table) => fenced(deleteWindow(dialect, table, ledger, spec)));
  if (rows === undefined) return deletes;
  return [
    ...deletes,
    insertScores(dialect, scores, entry, rows.ranked),
    fenced(insertQuarantine(dialect, quarantine, entry, { staged: rows.staged, key })),
    ...(report ? [insertScores(dialect, report, entry, rows.ranked)] : []),
    ...(summary ? insertSummary(dialect, summary, entry, { ...rows.ranked, segments }) : []),
    ...(drift && spec.drift ? insertDrift(dialect, drift, entry, spec.drift).map(fenced) : []),
  ];
}

/** Statements that append to the ledger: what is superseded, then the publication. @param spec as for `replaceRows` */
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

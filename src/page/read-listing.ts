import type { TableLayout } from '../domain/tables.ts';
import type { WindowKind } from '../domain/window.ts';
import type { TableReader } from '../warehouse/reader.ts';
import { windowOf } from '../window/window.ts';
import type { IndexData, IndexRow } from './page-data.ts';
import { type KnownWindow, type PublishedWindow, readWindows, windowsUpTo } from './published-windows.ts';
import { readTotals } from './score-sql.ts';

export interface IndexSpec {
  readonly job: IndexData['job'] & { readonly scoreColumn: string };
  /** Length of the windows between which there may be gaps. */
  readonly every: WindowKind;
  readonly tables: { readonly scores: TableLayout; readonly ledger: TableLayout };
  /** Relative link to the page of a window; undefined if there is none. */
  readonly linkOf: (window: Pick<PublishedWindow, 'label' | 'completed'>) => string | undefined;
}

/** Older windows are only in the warehouse's tables. */
const MOST = 1000;

/** Reads the windows of a job: published ones, and the gaps between windows of the job's length. */
export async function readIndex(reader: TableReader, { job, every, tables, linkOf }: IndexSpec): Promise<IndexData> {
  const { windows, entryNumber } = await readWindows(reader, tables.ledger, job.name);
  const regular = windows.filter(({ kind }) => kind === every);
  const last = regular.at(-1);
  const known: readonly KnownWindow[] =
    last === undefined ? [] : windowsUpTo(windowOf(Date.parse(last.start), Date.parse(last.end), job.zone), regular, MOST);
  const others = windows.filter(({ kind }) => kind !== every).map((window) => ({ ...window, published: window }));
  const listed = [...known, ...others].sort((a, b) => (a.start < b.start ? 1 : -1)).slice(0, MOST);
  const table = await reader.find(tables.scores);
  const published = listed.flatMap((window) => window.published ?? []);
  const totals =
    table === undefined ? new Map() : await readTotals({ reader, table, job: job.name, column: job.scoreColumn }, published);
  const rows = listed.map(
    ({ label, published: one }): IndexRow => ({
      label,
      totals: one && (totals.get(one.runId) ?? { users: 0, expected: 0 }),
      href: one && linkOf(one),
      publishedAt: one?.publishedAt,
    }),
  );
  return { job, windows: rows, entryNumber };
}

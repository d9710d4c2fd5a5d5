import { type LedgerEntry, type LedgerWindow, type Run, runsOf } from '../domain/ledger.ts';
import { keptNumbers } from '../domain/publications.ts';
import { replacedLayout } from '../domain/replaced-tables.ts';
import type { TableLayout } from '../domain/tables.ts';
import { selectKept } from '../warehouse/sql/replaced.ts';
import type { Sink } from '../warehouse/warehouse.ts';

/** A replaced publication whose rows are kept. */
export interface KeptPublication {
  readonly number: number;
  readonly run: Run;
  /** When it was published. */
  readonly publishedAt: string;
}

/** The kept publications of a window, newest first. @param entries of the window, oldest first */
export async function keptPublications(
  sink: Sink,
  {
    job,
    window,
    entries,
    scores,
  }: {
    readonly job: string;
    readonly window: LedgerWindow;
    readonly entries: readonly LedgerEntry[];
    readonly scores: TableLayout;
  },
): Promise<readonly KeptPublication[]> {
  const rows = await sink.read(async (reader) => {
    const kept = await reader.find(replacedLayout(scores));
    return kept === undefined ? [] : await reader.rows(selectKept(reader.dialect, kept, { job, window }));
  });
  const found = new Set(rows.map(([number]) => Number(number)));
  const runs = new Map(runsOf(entries).map((run) => [run.runId, run]));
  return keptNumbers(entries, window, { history: entries.length })
    .toReversed()
    .flatMap((number) => {
      const entry = entries.find(({ publication, state }) => publication === number && state === 'published');
      const run = entry && runs.get(entry.runId);
      // A publication without scores has no rows to find.
      const there = found.has(number) || entry?.rows?.scored === 0;
      if (entry === undefined || run === undefined || !there || isCurrent(entries, number)) return [];
      // An erasure corrects a run's counts in a later entry.
      return [{ number, run, publishedAt: entry.recordedAt }];
    });
}

function isCurrent(entries: readonly LedgerEntry[], number: number): boolean {
  return number === Math.max(...entries.map(({ publication = 0 }) => publication));
}

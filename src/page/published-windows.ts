import type { LedgerWindow } from '../domain/ledger.ts';
import type { TableLayout } from '../domain/tables.ts';
import { isWindowKind, type Window } from '../domain/window.ts';
import type { TableReader } from '../warehouse/reader.ts';
import { isoTime } from '../warehouse/sql/ledger-entry.ts';
import { previousWindow } from '../window/window.ts';

/** A window whose rows the tables hold. */
export interface PublishedWindow extends LedgerWindow {
  readonly runId: string;
  /** ISO instant. */
  readonly publishedAt: string;
  readonly users: number;
  /** Whether the run's report files were put in place. */
  readonly completed: boolean;
}

/** The job's windows by the ledger, up to an entry. */
export interface PublishedWindows {
  /** Oldest first. */
  readonly windows: readonly PublishedWindow[];
  /** Highest number in the ledger. */
  readonly entryNumber: number;
}

/**
 * Reads the published windows, optionally of one kind. Does not read the entries' details, because an hourly job has thousands
 * of entries.
 */
export async function readWindows(
  reader: TableReader,
  layout: TableLayout,
  job: string,
  only?: Window['kind'],
): Promise<PublishedWindows> {
  const { dialect } = reader;
  const ledger = await reader.find(layout);
  if (ledger === undefined) return { windows: [], entryNumber: 0 };
  const from = `FROM ${dialect.table(ledger.name)} entries`;
  const names = [
    'window_label',
    'window_start',
    'window_end',
    'window_kind',
    'state',
    'run_id',
    'recorded_at',
    'rows_scored',
    'publication',
  ];
  const texts = names.map((name) => {
    const column = ledger.columns.find((other) => other.name === name);
    if (column === undefined) throw new Error(`the ledger has no column ${name}`);
    return `${dialect.text(`entries.${dialect.identifier(name)}`, column)} AS ${name}_text`;
  });
  const [[last] = []] = await reader.rows(`SELECT ${dialect.text('MAX(entry_number)', { type: 'integer' })} ${from}`);
  const known = `job = ${dialect.literal(job)} AND entry_number <= ${Number(last ?? 0)}`;
  const rows = await reader.rows(
    `SELECT ${texts.join(', ')}, done.run_id AS completed_run ${from}
     LEFT JOIN (SELECT DISTINCT run_id FROM ${dialect.table(ledger.name)} WHERE ${known} AND state = ${dialect.literal('completed')}) done
       ON done.run_id = entries.run_id
     WHERE ${known}${only === undefined ? '' : ` AND window_kind = ${dialect.literal(only)}`} AND publication IS NOT NULL
     ORDER BY entries.publication`,
  );
  const current = new Map<string, PublishedWindow | undefined>();
  // A later publication of a window replaces an earlier one, and a superseded window has none.
  for (const [label, start, end, kind, state, runId, recordedAt, users, , done] of rows) {
    if (!isWindowKind(String(kind))) continue;
    const times = { start: isoTime(String(start)) ?? '', end: isoTime(String(end)) ?? '' };
    const window = { label: String(label), ...times, kind: kind as Window['kind'] };
    const published = {
      ...{ ...window, runId: String(runId), publishedAt: isoTime(String(recordedAt)) ?? '' },
      ...{ users: Number(users), completed: done !== null },
    };
    current.set(`${window.start} ${window.end}`, state === 'superseded' ? undefined : published);
  }
  const windows = [...current.values()].filter((window) => window !== undefined);
  return { windows: windows.sort((a, b) => (a.start < b.start ? -1 : 1)), entryNumber: Number(last ?? 0) };
}

/** A window of the job, published or not. */
export interface KnownWindow extends Pick<LedgerWindow, 'label' | 'start' | 'end'> {
  /** Undefined for a gap. */
  readonly published: PublishedWindow | undefined;
}

/**
 * The windows up to and including this one, oldest first, with the gaps between them. There are no gaps before the first
 * publication.
 *
 * @param most maximum number of windows
 */
export function windowsUpTo(window: Window, published: readonly PublishedWindow[], most: number): KnownWindow[] {
  const earlier = published.filter(({ start }) => start <= window.start.toISOString());
  const [first] = earlier;
  const known: KnownWindow[] = earlier.map((one) => ({ label: one.label, start: one.start, end: one.end, published: one }));
  let steps = 0;
  for (let at: Window | undefined = window; at !== undefined && steps < most; at = previousWindow(at), steps += 1) {
    const [start, end] = [at.start.toISOString(), at.end.toISOString()];
    if (first === undefined || start < first.start) break;
    if (earlier.some((one) => one.start < end && one.end > start)) continue;
    known.push({ label: at.label, start, end, published: undefined });
  }
  return known.sort((a, b) => (a.start < b.start ? -1 : 1)).slice(-most);
}

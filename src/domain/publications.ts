import { type LedgerEntry, type LedgerWindow, lastPublished } from './ledger.ts';
import type { SupersededWindow } from './run-details.ts';

/** An entry whose publication the tables hold. */
export type PublishedEntry = LedgerEntry & Required<Pick<LedgerEntry, 'publication' | 'rows'>>;

/** The current publication of each window. @param entries all of one job */
export function currentEntries(entries: readonly LedgerEntry[]): PublishedEntry[] {
  const windows = new Map<string, LedgerEntry[]>();
  for (const entry of entries) {
    const key = windowKey(entry.window);
    const group = windows.get(key);
    if (group) group.push(entry);
    else windows.set(key, [entry]);
  }
  return [...windows.values()].flatMap((group) => {
    const last = lastPublished(group);
    return last?.publication === undefined || last.rows === undefined
      ? []
      : [{ ...last, publication: last.publication, rows: last.rows }];
  });
}

/**
 * Publications that clash with one of this window, because a user would be counted in both: the windows differ but have the
 * same label, or the same grain and an overlap. A day inside a week does not clash, because its grain differs. Ad hoc windows
 * have no grain.
 *
 * @param entries of one job: all whose windows have this label or overlap this window
 */
export function overlapping(entries: readonly LedgerEntry[], window: LedgerWindow): PublishedEntry[] {
  return currentEntries(entries).filter(({ window: other }) => clash(other, window));
}

/**
 * The number of a window's next publication. It is higher than the window's own numbers, than those that it supersedes, and
 * than those of windows with the same start (a week and its first day): start and number identify one publication of the
 * job.
 *
 * @param entries of one job: all whose windows overlap this one
 */
export function nextNumber(
  entries: readonly LedgerEntry[],
  window: LedgerWindow,
  overlaps: readonly Pick<LedgerEntry, 'window'>[],
): number {
  const keys = new Set([window, ...overlaps.map((entry) => entry.window)].map((one) => windowKey(one)));
  const near = entries.filter((entry) => keys.has(windowKey(entry.window)) || entry.window.start === window.start);
  const numbers = near.map(({ publication = 0 }) => publication);
  return Math.max(0, ...numbers) + 1;
}

/**
 * Numbers of a window's replaced publications to keep: the highest, except those that a rollback has made current again, or
 * that a publication with the same content has replaced. The publication that is current before this one is included.
 *
 * @param entries of one job, at least all of the window
 * @param restored number of the kept publication that becomes current now
 */
export function keptNumbers(
  entries: readonly LedgerEntry[],
  window: LedgerWindow,
  { history, restored }: { readonly history: number; readonly restored?: number | undefined },
): number[] {
  const own = entries.filter((entry) => isSameWindow(entry.window, window) && entry.state === 'published');
  const moved = new Set([restored, ...own.flatMap(({ details }) => [details.rollback?.publication, details.repeats])]);
  const numbers = own.flatMap(({ publication }) => (publication === undefined || moved.has(publication) ? [] : [publication]));
  return numbers
    .sort((a, b) => b - a)
    .slice(0, history)
    .sort((a, b) => a - b);
}

/**
 * The entry that marks `run` as superseded by the publication of another window. It has that publication's number, so it is
 * the last of its own window.
 */
export function supersededEntry(run: LedgerEntry, by: LedgerEntry): LedgerEntry {
  const { runId, job, window, fingerprint, model } = run;
  const { recordedAt, host, publication } = by;
  return {
    ...{ recordedAt, runId, job, window, state: 'superseded', fingerprint, model, host },
    ...(publication !== undefined && { publication }),
    details: { superseded_by: supersededWindow(by) },
  };
}

export function supersededWindow({
  runId,
  window: { label, start, end },
}: Pick<LedgerEntry, 'runId' | 'window'>): SupersededWindow {
  return { run_id: runId, label, start, end };
}

export function isSameWindow(one: LedgerWindow, other: LedgerWindow): boolean {
  return windowKey(one) === windowKey(other);
}

/** Equal for windows with the same instants. */
export function windowKey({ start, end }: Pick<LedgerWindow, 'start' | 'end'>): string {
  return `${start} ${end}`;
}

function clash(one: LedgerWindow, other: LedgerWindow): boolean {
  if (isSameWindow(one, other)) return false;
  const meet = one.start < other.end && other.start < one.end;
  return one.label === other.label || (meet && one.kind === other.kind && one.kind !== 'ad hoc');
}

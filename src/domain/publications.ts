import { type LedgerEntry, type LedgerWindow, lastPublished, type SupersededWindow } from './ledger.ts';

/** What the tables hold of a window: the entry that published it. */
export type PublishedEntry = LedgerEntry & Required<Pick<LedgerEntry, 'publication' | 'rows'>>;

/** What the tables hold of each window of these entries, which must all be of one job. */
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
 * Publications that must not stand beside one of this window: windows of other instants that have its label, or its grain
 * and instants in common with it, so that a user would be counted in both. A day inside a week is another grain; ad hoc
 * windows have none.
 *
 * @param entries of one job: all whose windows have this label or overlap it
 */
export function overlapping(entries: readonly LedgerEntry[], window: LedgerWindow): PublishedEntry[] {
  return currentEntries(entries).filter(({ window: other }) => clash(other, window));
}

/**
 * The number of the next publication of a window: above its own, above those that it replaces, and above those of windows that
 * begin with it, such as a day and its week, so that start and number lead to one publication of the job.
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
 * The entry that tells of a run that another one's publication takes its rows out of the tables. It has that publication's
 * number, so that it counts as the last of its own window.
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

/** Equal for the windows of one publication. */
export function windowKey({ start, end }: Pick<LedgerWindow, 'start' | 'end'>): string {
  return `${start} ${end}`;
}

function clash(one: LedgerWindow, other: LedgerWindow): boolean {
  if (isSameWindow(one, other)) return false;
  const meet = one.start < other.end && other.start < one.end;
  return one.label === other.label || (meet && one.kind === other.kind && one.kind !== 'ad hoc');
}

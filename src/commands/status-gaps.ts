import { type LedgerWindow, ledgerWindow } from '../domain/ledger.ts';
import type { PublishedEntry } from '../domain/publications.ts';
import type { Grain, Window } from '../domain/window.ts';
import { lastComplete, windowAt } from '../window/bulk.ts';
import { flagsOf } from './status-rows.ts';

/** A window without a publication. */
export interface Gap {
  readonly window: string;
  /** Flags that select it in any command. */
  readonly flags: string;
  readonly start: string;
  readonly end: string;
}

export interface Gaps {
  /** The newest, oldest first. */
  readonly windows: readonly Gap[];
  /** Total number, at most 1,000; `windows` may have fewer. */
  readonly total: number;
  /** The command that fills all of them; null if there are none. */
  readonly backfill: string | null;
}

export interface GapOptions {
  readonly grain: Grain;
  readonly zone: string;
  /** Epoch milliseconds. */
  readonly now: number;
  /** Epoch milliseconds: windows that start earlier are left out. */
  readonly since: number | undefined;
  /** Most windows to name. */
  readonly limit: number;
  /** `--job NAME `, if the call named the job. */
  readonly jobFlag: string;
}

export const NO_GAPS: Gaps = { windows: [], total: 0, backfill: null };

/** Most missing windows to look for: finding one takes a millisecond. */
export const MOST_MISSING = 1_000;

/**
 * Windows of the job's grain without a current publication, from the first publication to the last complete window. Windows
 * that overlap a publication of their grain do not count: after a change of `time_zone`, their users are already published.
 *
 * @param current publications of the job
 */
export function findGaps(current: readonly PublishedEntry[], { grain, zone, now, since, limit, jobFlag }: GapOptions): Gaps {
  const published = current.map(({ window }) => window).filter(({ kind }) => kind === grain);
  published.sort(compareWindows);
  const first = published[0];
  if (first === undefined) return NO_GAPS;
  const earliest = Math.max(Date.parse(first.start), since ?? 0);
  const missing: Window[] = [];
  // From the newest backwards, which skips published windows without computing them.
  let next = published.length - 1;
  let end = lastComplete(grain, zone, now).end.getTime();
  while (end > earliest && missing.length < MOST_MISSING) {
    while (startOf(published[next]) >= end) next -= 1;
    const before = published[next];
    if (before && Date.parse(before.end) >= end) {
      end = startOf(before);
      continue;
    }
    const window = windowAt(end - 1, grain, zone);
    const start = window.start.getTime();
    if (start < earliest) break;
    // Skip an hour cut short by the clocks, and a window that one of another zone reaches into.
    if (window.kind === grain && !(before && Date.parse(before.end) > start)) missing.unshift(window);
    end = start;
  }
  const [from, to] = [missing[0], missing.at(-1)];
  return {
    windows: missing.slice(-limit).map(toGap),
    total: missing.length,
    backfill: from && to ? `score-batch backfill ${jobFlag}--from ${from.label} --to ${to.label}` : null,
  };
}

function startOf(window: LedgerWindow | undefined): number {
  return window === undefined ? Number.NEGATIVE_INFINITY : Date.parse(window.start);
}

/** Orders windows by start; with equal starts, the longer one first. */
export function compareWindows(a: { readonly start: string; readonly end: string }, b: typeof a): number {
  if (a.start !== b.start) return a.start < b.start ? -1 : 1;
  return a.end === b.end ? 0 : a.end > b.end ? -1 : 1;
}

function toGap(window: Window): Gap {
  const { label, start, end, kind } = ledgerWindow(window);
  return { window: label, flags: flagsOf({ label, start, end, kind }), start, end };
}

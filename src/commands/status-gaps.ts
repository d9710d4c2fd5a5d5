import { type LedgerWindow, ledgerWindow } from '../domain/ledger.ts';
import type { PublishedEntry } from '../domain/publications.ts';
import type { Grain, Window } from '../domain/window.ts';
import { lastComplete, windowAt } from '../window/bulk.ts';
import { flagsOf } from './status-rows.ts';

/** A window without a publication. */
export interface Gap {
  readonly window: string;
  /** Flags that name it in any command. */
  readonly flags: string;
  readonly start: string;
  readonly end: string;
}

export interface Gaps {
  /** The newest, oldest first. */
  readonly windows: readonly Gap[];
  /** How many there are, at most 1,000; `windows` may have fewer. */
  readonly total: number;
  /** The command that fills all of them; null without any. */
  readonly backfill: string | null;
}

export interface GapOptions {
  readonly grain: Grain;
  readonly zone: string;
  /** Epoch milliseconds. */
  readonly now: number;
  /** Epoch milliseconds: windows that start before are left out. */
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
 * Windows of the job's grain without a current publication, from the first publication to the last complete window. A window that
 * overlaps a publication of its grain is none of them: after a change of `time_zone`, its users are published already.
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
  // From the newest back: the walk passes published windows without computing them.
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
    // An hour that the clocks cut is none, and another zone's window may reach into this one.
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

/** Order of windows: by start, of equal starts the longer one first. */
export function compareWindows(a: { readonly start: string; readonly end: string }, b: typeof a): number {
  if (a.start !== b.start) return a.start < b.start ? -1 : 1;
  return a.end === b.end ? 0 : a.end > b.end ? -1 : 1;
}

function toGap(window: Window): Gap {
  const { label, start, end, kind } = ledgerWindow(window);
  return { window: label, flags: flagsOf({ label, start, end, kind }), start, end };
}

import { ledgerWindow } from '../domain/ledger.ts';
import type { PublishedEntry } from '../domain/publications.ts';
import type { Grain, Window } from '../domain/window.ts';
import { lastComplete, windowAt, windowsFrom } from '../window/bulk.ts';
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
  /** How many there are; `windows` may have fewer. */
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

/** How far back to look, in windows: five months of hours. */
const MOST = 3_700;
const LENGTH_MS: Readonly<Record<Grain, number>> = { hour: 3_600_000, day: 86_400_000, week: 604_800_000 };

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
  const last = lastComplete(grain, zone, now);
  const earliest = Math.max(Date.parse(first.start), last.end.getTime() - MOST * LENGTH_MS[grain], since ?? 0);
  const missing: Window[] = [];
  let next = 0;
  for (const window of windowsFrom(windowAt(earliest, grain, zone), grain)) {
    if (window.start > last.start) break;
    const { start, end } = ledgerWindow(window);
    while (next < published.length && (published[next]?.end ?? '') <= start) next += 1;
    const covered = (published[next]?.start ?? '~') < end;
    if (!covered && window.start.getTime() >= earliest) missing.push(window);
  }
  const [from, to] = [missing[0], missing.at(-1)];
  return {
    windows: missing.slice(-limit).map(toGap),
    total: missing.length,
    backfill: from && to ? `score-batch backfill ${jobFlag}--from ${from.label} --to ${to.label}` : null,
  };
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

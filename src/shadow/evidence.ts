import { counted } from '../domain/counted.ts';
import type { LedgerEntry } from '../domain/ledger.ts';
import { provesAgreement, type ShadowComparison } from '../domain/shadow.ts';
import { localTime } from '../window/local-time.ts';
import type { BatchWindow } from './batch-windows.ts';
import { problemsOf } from './sentences.ts';
import type { ShadowSpec } from './spec.ts';

export interface ShadowEvidence {
  /** The last comparison of each window, newest window first. */
  readonly comparisons: readonly ShadowComparison[];
  /** Labels of the newest consecutive windows whose comparisons are all within limits, newest first. */
  readonly inRow: readonly string[];
}

/** @param entries of the slices, including all `compared` ones, in the order in which they were written */
export function shadowEvidence(entries: readonly LedgerEntry[]): ShadowEvidence {
  const windows = new Map<string, ShadowComparison>();
  for (const { details } of entries) if (details.shadow) windows.set(details.shadow.window.end, details.shadow);
  const comparisons = [...windows.values()].sort((a, b) => (a.window.end < b.window.end ? 1 : -1));
  const beyond = comparisons.findIndex(({ within }) => !within);
  const inRow = (beyond < 0 ? comparisons : comparisons.slice(0, beyond)).filter(provesAgreement);
  return { comparisons, inRow: inRow.map(({ window }) => window.label) };
}

interface RefusalOptions {
  readonly spec: ShadowSpec;
  readonly evidence: ShadowEvidence;
  /** Entries of the slices, including their publications. */
  readonly slices: readonly LedgerEntry[];
  /** Of the batch, oldest first. */
  readonly windows: readonly BatchWindow[];
  readonly zone: string;
  /** Epoch milliseconds of the real clock, as in the recorded entries. */
  readonly now: number;
}

/** How many intervals old the newest slice may be: one that is late proves nothing. */
const INTERVALS = 2;

/** Reasons why people should not read the current table yet, one sentence each; empty if there are none. */
export function switchRefusals({ spec, evidence, slices, windows, zone, now }: RefusalOptions): string[] {
  const { comparisons, inRow } = evidence;
  const needed = spec.shadow.comparisons;
  const newest = slices.findLast(({ state }) => state === 'published');
  const old = newest !== undefined && now - Date.parse(newest.recordedAt) > INTERVALS * spec.incremental.interval;
  return [
    ...(newest === undefined ? ['no slice has been published'] : []),
    ...(old ? [`the newest slice is from ${localTime(newest.recordedAt, zone)}, more than two intervals ago`] : []),
    ...uncompared(windows, comparisons[0]),
    ...(inRow.length < needed
      ? [
          `${counted(inRow.length, 'comparison')} in a row ${inRow.length === 1 ? 'is' : 'are'} within limits, but incremental.shadow.comparisons is ${needed}: ${counted(needed - inRow.length, 'is', 'are')} missing`,
          ...comparisons
            .slice(0, needed)
            .flatMap((comparison) => problemsOf(comparison).map((problem) => `${comparison.window.label}: ${problem}`)),
        ]
      : []),
  ];
}

function uncompared(windows: readonly BatchWindow[], newest: ShadowComparison | undefined): string[] {
  const last = windows.findLast(({ published }) => published !== undefined);
  if (last === undefined || (newest !== undefined && newest.window.end >= last.window.end)) return [];
  return [`${last.window.label} is published, but was not compared`];
}

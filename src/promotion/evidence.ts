import { type CheckedLimit, type CompareLimits, checkComparison } from '../compare/comparison.ts';
import { championRun } from '../domain/challenger.ts';
import { type LedgerEntry, type Run, runsOf } from '../domain/ledger.ts';
import { currentEntries, type PublishedEntry } from '../domain/publications.ts';
import { isSameBundle, type RecordedComparison } from '../domain/recorded-comparison.ts';
import type { WindowKind } from '../domain/window.ts';
import { showLimit } from '../run/compare-challenger.ts';

/** A bundle at present. */
interface PresentBundle {
  readonly digest: string;
  readonly definitionDigest: string;
}

export interface EvidenceOptions {
  /** Entries of the job. */
  readonly champions: readonly LedgerEntry[];
  /** Entries of its challenger. */
  readonly challengers: readonly LedgerEntry[];
  readonly every: WindowKind;
  /** `challenger.promote_after` */
  readonly count: number;
  /** The limits in the present job file; those in force at the time do not matter. */
  readonly limits: CompareLimits;
  readonly champion: PresentBundle;
  readonly challenger: PresentBundle;
}

/** A window published by the champion, and the evidence for the challenger. */
export interface ComparedWindow {
  readonly label: string;
  readonly champion: PublishedEntry;
  /** The challenger's run that scored the same rows. */
  readonly run_id: string | null;
  readonly limits: readonly CheckedLimit[];
  /** Why this window does not count; empty if it counts. */
  readonly problems: readonly string[];
}

/** The newest windows, all of which must count for a promotion, newest first; fewer if the champion has published fewer. */
export function comparedWindows(options: EvidenceOptions): ComparedWindow[] {
  const runs = runsOf(options.challengers);
  return currentEntries(options.champions)
    .filter(({ window, rows }) => window.kind === options.every && rows.scored > 0)
    .sort((a, b) => (a.window.start < b.window.start ? 1 : -1))
    .slice(0, options.count)
    .map((champion) => windowOf(champion, runs, options));
}

function windowOf(
  champion: PublishedEntry,
  runs: readonly Run[],
  { limits, champion: own, challenger }: EvidenceOptions,
): ComparedWindow {
  const ofWindow = runs.filter(({ runId }) => championRun(runId) === champion.runId);
  const compared = ofWindow.filter(({ details }) => details.comparison?.champion.run_id === champion.runId);
  const isOwn = ({ details }: Run) =>
    details.comparison !== undefined && isSameBundle(details.comparison.challenger, challenger);
  const run = compared.findLast(isOwn) ?? compared.at(-1);
  const comparison = run?.details.comparison;
  const { label } = champion.window;
  if (run === undefined || comparison === undefined) {
    const why = ofWindow.at(-1)?.details.error;
    const problem = `the two models were not compared${why === undefined ? '' : `: ${why}`}`;
    return { label, champion, run_id: null, limits: [], problems: [problem] };
  }
  const checked = checkComparison(comparison.measures, limits);
  return {
    ...{ label, champion, run_id: run.runId, limits: checked },
    problems: [
      ...changed('champion', comparison.champion, own),
      ...changed('challenger', comparison.challenger, challenger),
      ...beyond(checked),
    ],
  };
}

function changed(who: 'champion' | 'challenger', then: RecordedComparison['champion'], now: PresentBundle): string[] {
  if (isSameBundle(then, now)) return [];
  const what = then.digest === now.digest ? 'model.yaml has changed' : `sha256 ${then.digest.slice(0, 12)}… then`;
  return [`the ${who} has changed since it was compared: ${what}, now ${now.digest.slice(0, 12)}…`];
}

function beyond(limits: readonly CheckedLimit[]): string[] {
  const problems = limits.filter(({ state }) => state === 'beyond').map((limit) => `beyond ${showLimit(limit)}`);
  const none = limits.length > 0 && limits.every(({ state }) => state === 'not checked');
  return none ? ['no limit could be checked: the outcomes are not known yet when a run compares the two models'] : problems;
}

import { randomBytes } from 'node:crypto';
import { currentPublication, type LedgerEntry, type Run, unfinishedRun } from '../domain/ledger.ts';
import { StageClock } from '../domain/stages.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';
import { takesTaps } from '../warehouse/tapping.ts';
import { localTime } from '../window/local-time.ts';
import type { Audited } from './audit.ts';
import type { Progress } from './progress.ts';

/**
 * The unfinished run that can be resumed: its frozen rows still exist, or nothing is scored yet, so that freezing again cannot
 * mix two snapshots of the source. A published run counts only while the tables hold what it wrote.
 *
 * @returns the run with `refused` if another process has changed its frozen rows
 */
export async function resumableRun(
  plan: Plan,
  entries: readonly LedgerEntry[],
  audited: Audited | undefined,
): Promise<{ run?: Run; refused?: unknown }> {
  const run = unfinishedRun(entries, plan.fingerprint);
  if (run === undefined) return {};
  if (run.state === 'published') {
    const changed = audited?.run.runId === run.runId && audited.differences.length > 0;
    return changed ? {} : { run };
  }
  // Equal fingerprints: it scored the same frozen rows, which the plan has just found.
  if (plan.asOf !== undefined) return { run };
  try {
    const frozen = await plan.source.frozen(run.runId);
    return frozen || (await isOneSnapshot(plan, run.runId)) ? { run } : {};
  } catch (refused) {
    if (!isRefusal(refused)) throw refused;
    return { run, refused };
  }
}

/** Whether everything staged by a run without a frozen table comes from one snapshot: nothing, or one tapped window. */
async function isOneSnapshot({ sink }: Plan, runId: string): Promise<boolean> {
  if (takesTaps(sink) && (await sink.tapped(runId)) !== undefined) return true;
  // By now `tapped` has removed a damaged window.
  return (await sink.staged(runId)).length === 0;
}

export function isRefusal(error: unknown): boolean {
  return error instanceof ScoreBatchError && error.kind === 'refused';
}

/** Unfinished runs of other fingerprints that may still publish. */
export function otherUnfinishedRuns(entries: readonly LedgerEntry[], fingerprint: string): Run[] {
  const others = new Set(entries.map((entry) => entry.fingerprint).filter((other) => other !== fingerprint));
  return [...others].flatMap((other) => unfinishedRun(entries, other) ?? []).filter(({ state }) => state !== 'published');
}

/** @param run to resume; undefined for a new one. @param began as in `Context.began` */
export function progressOf(plan: Plan, entries: readonly LedgerEntry[], run: Run | undefined, began: number): Progress {
  // The error belongs to the earlier entry, and the basis only to the run's first.
  const { error: _, basis: _basis, ...details } = run?.details ?? {};
  return {
    runId: run?.runId ?? `${plan.window.label}-${randomBytes(6).toString('hex')}`,
    clock: new StageClock(began, run?.details.seconds, (stage) => plan.stages.enter(stage.replace('_', ' '))),
    supersedes: currentPublication(entries),
    state: run?.state ?? 'started',
    rows: run?.rows,
    details,
  };
}

/** `run 2026-W47-0123456789ab, which began at 2026-11-23 06:00 (Europe/Berlin) on HOST` */
export function showRun({ runId, startedAt, startedOn }: Run, zone: string): string {
  return `run ${runId}, which began at ${localTime(startedAt, zone)} on ${startedOn}`;
}

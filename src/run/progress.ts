import { hostname } from 'node:os';
import type { Context } from '../context.ts';
import { type LedgerEntry, ledgerWindow, type Publication, type RunState } from '../domain/ledger.ts';
import type { RunRows } from '../domain/rows.ts';
import type { RunDetails } from '../domain/run-details.ts';
import type { StageClock } from '../domain/stages.ts';
import type { Plan } from '../plan/plan.ts';
import type { WindowOfJob } from '../warehouse/ledger-filter.ts';

/** A run in this process: the plan, its progress, and the process itself. */
export interface ActiveRun {
  readonly plan: Plan;
  readonly progress: Progress;
  readonly context: Context;
}

/** Progress of a run. */
export interface Progress {
  readonly runId: string;
  readonly clock: StageClock;
  /** The window's publication when the run began. If it has changed by the time the run publishes, the run has lost a race. */
  readonly supersedes: Publication | undefined;
  /** Identity of the frozen table, once there is one. */
  frozen?: string;
  /** State, rows and details as in the ledger. */
  state: RunState;
  rows: RunRows | undefined;
  details: RunDetails;
}

/** Selects the ledger entries of the plan's job and window. */
export function windowFilter(plan: Plan): WindowOfJob {
  return { job: plan.job.definition.name, window: ledgerWindow(plan.window) };
}

/** A ledger entry for an event of the run, as of now. */
export function entryOf(
  { plan, progress: { runId, rows } }: Pick<ActiveRun, 'plan' | 'progress'>,
  state: RunState,
  details: RunDetails,
): LedgerEntry {
  return {
    recordedAt: new Date().toISOString(),
    runId,
    job: plan.job.definition.name,
    window: ledgerWindow(plan.window),
    state,
    fingerprint: plan.fingerprint,
    model: { name: plan.bundle.definition.name, version: plan.bundle.definition.version, digest: plan.bundle.digest },
    host: hostname(),
    details,
    ...(rows && { rows }),
  };
}

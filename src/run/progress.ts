import { hostname } from 'node:os';
import { type LedgerEntry, ledgerWindow, type Publication, type RunDetails, type RunState } from '../domain/ledger.ts';
import type { RunRows } from '../domain/rows.ts';
import type { StageClock } from '../domain/stages.ts';
import type { Plan } from '../plan/plan.ts';
import type { WindowOfJob } from '../warehouse/warehouse.ts';

/** A run while it goes on. */
export interface Progress {
  readonly runId: string;
  readonly clock: StageClock;
  /** What is published for the window, as the run saw it when it began; another one at the publish lock means a lost race. */
  readonly supersedes: Publication | undefined;
  /** Identity of the frozen table, once there is one. */
  frozen?: string;
  /** What the ledger says of the run so far. */
  state: RunState;
  rows: RunRows | undefined;
  details: RunDetails;
}

/** The entries of the plan's job and window. */
export function windowFilter(plan: Plan): WindowOfJob {
  return { job: plan.job.definition.name, window: ledgerWindow(plan.window) };
}

/** The ledger entry for something that happened to the run just now. */
export function entryOf(plan: Plan, { runId, rows }: Progress, state: RunState, details: RunDetails): LedgerEntry {
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

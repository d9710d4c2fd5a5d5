import { counted } from '../domain/counted.ts';
import type { Run } from '../domain/ledger.ts';
import type { RunRows } from '../domain/rows.ts';
import type { Window } from '../domain/window.ts';
import { Interrupted, ScoreBatchError } from '../errors.ts';
import { type RunSummary, showWindow, type WindowSummary } from '../run/summary.ts';
import { presentError } from '../terminal/error.ts';

/** Outcome of a window. */
type OutcomeState = 'published' | 'already published' | 'refused' | 'skipped' | 'failed' | 'interrupted' | 'not started';

/** One window of a backfill, as in the output of `--json`. */
export interface WindowOutcome {
  readonly window: WindowSummary;
  readonly state: OutcomeState;
  readonly run_id: string | null;
  readonly rows: RunRows | null;
  /** Wall-clock seconds that this command spent on it; null if it did not run. */
  readonly seconds: number | null;
  readonly warnings: readonly string[];
  readonly error: ShownError | null;
}

export interface ShownError {
  readonly kind: string;
  readonly exit_code: number;
  readonly message: string;
  readonly details: readonly string[];
  readonly hint: string | null;
}

/** A window that this command has run. */
export interface Ended {
  readonly outcome: WindowOutcome;
  /** What was thrown; undefined on success. */
  readonly error: unknown;
}

export function succeeded(window: Window, summary: RunSummary, seconds: number): Ended {
  const { run_id, rows, state, warnings } = summary;
  return {
    outcome: { window: showWindow(window), state, run_id, rows: rows ?? null, seconds, warnings, error: null },
    error: undefined,
  };
}

/** @param runId undefined if it failed before it had one */
export function failed(window: Window, runId: string | undefined, thrown: unknown, seconds: number): Ended {
  const outcome: WindowOutcome = {
    window: showWindow(window),
    state: stateOf(thrown),
    run_id: runId ?? null,
    rows: null,
    seconds,
    warnings: [],
    error: showError(thrown),
  };
  return { outcome, error: thrown };
}

/** A window that did not run. @param published its current publication, if that is why */
export function untouched(window: Window, published: Run | undefined): WindowOutcome {
  return {
    window: showWindow(window),
    state: published === undefined ? 'not started' : 'already published',
    run_id: published?.runId ?? null,
    rows: published?.rows ?? null,
    seconds: null,
    warnings: [],
    error: null,
  };
}

/** Whether the window is not published, though it should be. A window without rows, skipped on request, does not count. */
export function isFailure({ error }: Ended): boolean {
  return error !== undefined && !(error instanceof ScoreBatchError && error.kind === 'nothing to score');
}

/** `1997-W11  published  1,234 rows  2 quarantined  1.2 s  run 1997-W11-0123456789ab` */
export function showOutcome({ window, state, rows, seconds, run_id }: WindowOutcome): string {
  return [
    window.label,
    state,
    ...(rows === null ? [] : [counted(rows.frozen, 'row')]),
    ...(rows === null || rows.quarantined === 0 ? [] : [`${rows.quarantined.toLocaleString('en')} quarantined`]),
    ...(seconds === null ? [] : [`${seconds.toFixed(1)} s`]),
    ...(run_id === null ? [] : [`run ${run_id}`]),
  ].join('  ');
}

export function showError(thrown: unknown): ShownError {
  const { kind, exitCode, message, details, hint } = presentError(thrown);
  return { kind, exit_code: exitCode, message, details, hint: hint ?? null };
}

function stateOf(thrown: unknown): OutcomeState {
  if (thrown instanceof Interrupted) return 'interrupted';
  if (!(thrown instanceof ScoreBatchError)) return 'failed';
  return thrown.kind === 'refused' ? 'refused' : thrown.kind === 'nothing to score' ? 'skipped' : 'failed';
}

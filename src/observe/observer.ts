import type { LedgerEntry } from '../domain/ledger.ts';
import type { RunRows } from '../domain/rows.ts';
import type { RunDetails } from '../domain/run-details.ts';
import type { Stage, StageSeconds } from '../domain/stages.ts';
import type { Plan } from '../plan/plan.ts';

/** A run in this process, as passed to observers. */
export interface ObservedRun {
  readonly plan: Plan;
  readonly runId: string;
  /** Epoch milliseconds at which this process began to plan the run. */
  readonly began: number;
}

/** A stage of the run in this process. Stages may repeat. */
interface ObservedStage {
  readonly stage: Stage;
  /** Epoch milliseconds. */
  readonly began: number;
  readonly ended: number;
}

/** How this process's work on the run ended. */
export interface ObservedEnd {
  /**
   * `published` if this process completed the publication, `already published` if nothing was left to do, `phase` if this
   * process only did part of the run, otherwise the failure as recorded in the ledger.
   */
  readonly state: 'published' | 'already published' | 'phase' | Extract<LedgerEntry['state'], 'refused' | 'failed' | 'skipped'>;
  /** Epoch milliseconds. */
  readonly ended: number;
  readonly stages: readonly ObservedStage[];
  /** For the whole run, earlier processes included. */
  readonly seconds: StageSeconds;
  readonly rows: RunRows | undefined;
  /** Number of the window's publication, if it is this run's. */
  readonly publication: number | undefined;
  readonly details: RunDetails;
  /**
   * The error that ended the run, if any. Its message may contain row values, which observers must leave out; see
   * `withoutSecrets`.
   */
  readonly error?: unknown;
}

/**
 * Observes runs: traces, metrics, lineage. An observer can neither fail nor delay a run: its methods return at once and never
 * throw. Only `close` is awaited, for at most `CLOSE_MS` per invocation for all observers together; reading publication numbers
 * may take as long again, all together.
 */
export interface RunObserver {
  /** Set if `ended` does not use the publication's number, which must be read from the ledger. */
  readonly needsNoPublication?: true;
  /** The run's `started` entry is in the ledger, or this process joins it. */
  began(run: ObservedRun): void;
  ended(run: ObservedRun, end: ObservedEnd): void;
  /** Resolves once everything is sent or given up. */
  close(): Promise<void>;
}

/** Most milliseconds that all observers together may take at the end of an invocation. */
export const CLOSE_MS = 2_000;

import type { LedgerEntry } from '../domain/ledger.ts';
import type { RunRows } from '../domain/rows.ts';
import type { RunDetails } from '../domain/run-details.ts';
import type { Stage, StageSeconds } from '../domain/stages.ts';
import type { Plan } from '../plan/plan.ts';

/** What observers see of a run in this process. */
export interface ObservedRun {
  readonly plan: Plan;
  readonly runId: string;
  /** Epoch milliseconds at which this process began to plan the run. */
  readonly began: number;
}

/** A stage of the run in this process. A stage can come several times. */
interface ObservedStage {
  readonly stage: Stage;
  /** Epoch milliseconds. */
  readonly began: number;
  readonly ended: number;
}

/** How the work of this process on the run ended. */
export interface ObservedEnd {
  /**
   * `published` if this process completed the publication, `already published` if there was nothing left to do, `phase` if
   * this process did only a part of the run, otherwise how it failed, as the ledger says.
   */
  readonly state: 'published' | 'already published' | 'phase' | Extract<LedgerEntry['state'], 'refused' | 'failed' | 'skipped'>;
  /** Epoch milliseconds. */
  readonly ended: number;
  readonly stages: readonly ObservedStage[];
  /** Of the whole run, with earlier processes. */
  readonly seconds: StageSeconds;
  readonly rows: RunRows | undefined;
  /** Number of the window's publication, if it is this run's. */
  readonly publication: number | undefined;
  readonly details: RunDetails;
  /** What ended the run, if it was an error. Its message may hold values of rows: observers leave those out; see `withoutSecrets`. */
  readonly error?: unknown;
}

/**
 * Looks on while runs are worked on: traces, metrics, lineage. An observer can neither fail nor hold up a run: its methods return at
 * once and never throw, and only `close` is waited for, all observers together for at most `CLOSE_MS` in an invocation; the numbers of
 * its publications are waited for as long, all together.
 */
export interface RunObserver {
  /** Whether `ended` makes no use of the publication's number, which is read from the ledger. */
  readonly needsNoPublication?: true;
  /** The run has its `started` entry in the ledger, or this process takes part in it. */
  began(run: ObservedRun): void;
  ended(run: ObservedRun, end: ObservedEnd): void;
  /** Resolves once all is sent or given up. */
  close(): Promise<void>;
}

/** What all observers of an invocation may take at its end together, milliseconds. */
export const CLOSE_MS = 2_000;

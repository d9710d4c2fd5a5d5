import type { AttemptFacts } from './attempt-facts.ts';
import type { FrozenTable } from './frozen-table.ts';

/**
 * A window that was scored on its way out of the query, without a frozen table: the one statement is the picture of it, and what
 * entered was counted meanwhile. All of it is one chunk, of one attempt.
 */
export interface TappedWindow {
  /** As reconcile and publish know a window; `chunks` has one chunk, or none where the window has no rows. */
  readonly frozen: FrozenTable;
  readonly attempt: string;
  readonly provider: string;
  readonly facts: AttemptFacts;
  /** ISO instant. */
  readonly scoredAt: string;
  /** Rows of a batch, by which outcomes are found. */
  readonly batchRows: number;
  /** Columns of the key, and of what is kept. */
  readonly keys: number;
  readonly kept: number;
  /** Rows that are quarantined. */
  readonly rejected: number;
}

/** What a process that was killed has left of an attempt; plain data. */
export interface EarlierAttempt {
  /** Files of rows that are whole. */
  readonly files: readonly string[];
  /** File of the outcomes. */
  readonly outcomes: string;
  readonly batchRows: number;
}

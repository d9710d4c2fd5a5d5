import type { AttemptFacts } from './attempt-facts.ts';
import type { FrozenTable } from './frozen-table.ts';

/**
 * A window that was scored as the query returned it, without a frozen table. One statement reads all rows, so they form one
 * snapshot, and they are counted as they arrive. The window is one chunk with one attempt.
 */
export interface TappedWindow {
  /** The window in the form that reconcile and publish expect. `chunks` has one chunk, or none if the window is empty. */
  readonly frozen: FrozenTable;
  readonly attempt: string;
  readonly provider: string;
  readonly facts: AttemptFacts;
  /** ISO instant. */
  readonly scoredAt: string;
  /** Rows per batch, needed to look up outcomes. */
  readonly batchRows: number;
  /** Number of key columns and of kept columns. */
  readonly keys: number;
  readonly kept: number;
  /** Number of quarantined rows. */
  readonly rejected: number;
}

/** The files that a killed process left of an attempt. Plain data. */
export interface EarlierAttempt {
  /** Complete files of rows. */
  readonly files: readonly string[];
  /** The file of outcomes. */
  readonly outcomes: string;
  readonly batchRows: number;
}

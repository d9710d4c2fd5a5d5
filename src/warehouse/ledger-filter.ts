import type { LedgerEntry, LedgerWindow, RunState } from '../domain/ledger.ts';

/** Selects entries of the ledger. */
export interface LedgerFilter {
  readonly job?: string;
  /** Ids of runs. */
  readonly runs?: readonly string[];
  readonly states?: readonly RunState[];
  readonly window?: Pick<LedgerWindow, 'start' | 'end'>;
  /** Windows that overlap this one or have its label, including the window itself. */
  readonly near?: LedgerWindow;
  /** Earlier publications to compare this run with; see `HistoryOf`. */
  readonly history?: HistoryOf;
  /** Most entries to select: the newest of those that match the rest. */
  readonly newest?: number;
}

/**
 * Selects published entries of the latest earlier window of the same kind, and of runs whose model had the same name and
 * version but another digest.
 */
export interface HistoryOf {
  readonly window: LedgerWindow;
  readonly model: LedgerEntry['model'];
}

/** All entries of one window of a job. */
export type WindowOfJob = Required<Pick<LedgerFilter, 'job' | 'window'>>;

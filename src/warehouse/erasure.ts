import type { ChangedSegment, FoundRows, Person } from '../domain/erasure.ts';
import type { LedgerEntry } from '../domain/ledger.ts';
import type { TableLayout } from '../domain/tables.ts';

/** A person's rows to remove from published tables, and the resulting ledger entries. */
export interface ErasureSpec {
  /** The `erased` entry; it does not name the person. */
  readonly entry: LedgerEntry;
  /** Entries that correct the counts of the runs; see `corrections`. */
  readonly corrections: readonly LedgerEntry[];
  readonly ledger: TableLayout;
  /** Jobs that the tables belong to: the entry's job, its challenger's, and its slices'. */
  readonly jobs: readonly string[];
  /** Number of ledger entries of these jobs when the rows were found. */
  readonly seen: number;
  readonly person: Person;
  readonly found: readonly FoundRows[];
  readonly segments: readonly ChangedSegment[];
}

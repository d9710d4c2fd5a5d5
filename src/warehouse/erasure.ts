import type { ChangedSegment, FoundRows, Person } from '../domain/erasure.ts';
import type { LedgerEntry } from '../domain/ledger.ts';
import type { TableLayout } from '../domain/tables.ts';

/** A person's rows to remove from published tables, and what follows from it. */
export interface ErasureSpec {
  /** The entry of the state `erased`; it does not name the person. */
  readonly entry: LedgerEntry;
  /** Entries that correct the counts of the runs; see `corrections`. */
  readonly corrections: readonly LedgerEntry[];
  readonly ledger: TableLayout;
  /** Jobs that the tables belong to: that of the entry, that of its challenger, and that of its slices. */
  readonly jobs: readonly string[];
  /** Number of ledger entries of these jobs when the rows were found. */
  readonly seen: number;
  readonly person: Person;
  readonly found: readonly FoundRows[];
  readonly segments: readonly ChangedSegment[];
}

import type { LedgerWindow } from '../domain/ledger.ts';
import type { TableLayout } from '../domain/tables.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { Ledger, Sink } from '../warehouse/warehouse.ts';
import type { ListingContent } from './listing-file.ts';
import type { ReportFile } from './place.ts';
import type { Reserved } from './reserved.ts';

/** A report to write. */
export interface ReportSpec {
  readonly sink: Sink;
  readonly ledger: Ledger;
  readonly job: string;
  readonly runId: string;
  readonly window: LedgerWindow;
  /** The scores table as published. */
  readonly scores: TableLayout;
  /** Number of scored users: ranks go from 1 to this. */
  readonly rows: number;
  /** All files of the report; at least one. */
  readonly files: readonly ReportFile[];
  /** Whether the CSV file begins with a byte order mark. */
  readonly csvBom: boolean;
  /** Creates page and index; required if `files` has them. */
  readonly pages?: Pages | undefined;
  /** Files and folders that the report must not replace. Checked again just before the renames. */
  readonly reserved: readonly Reserved[];
  /** Stores for files that are objects. */
  readonly stores: ObjectStore;
  /** Whether to replace objects that this job did not write. */
  readonly force: boolean;
  readonly signal: AbortSignal;
}

/** Creates the report files that do not have a row per user. */
export interface Pages {
  /** The page of the window, as HTML. Call it once the run is published. */
  page(): Promise<string>;
  /**
   * The index page of all windows, from the ledger at the time of the call. Called again if another process has a newer one.
   */
  index(): Promise<ListingContent>;
}

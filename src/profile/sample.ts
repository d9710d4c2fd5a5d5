import type { StageSeconds } from '../domain/stages.ts';
import type { WindowKind } from '../domain/window.ts';

/** The cost of a run, or of a measured slice of a window, from start to end in one process. */
export interface Sample {
  readonly window: { readonly label: string; readonly kind: WindowKind; readonly start: string; readonly end: string };
  /** Rows that the query returned. */
  readonly rows: number;
  readonly seconds: StageSeconds;
  /** Bytes that the query was expected to read; undefined if the source cannot estimate them. */
  readonly bytes: number | undefined;
}

/** What two runs must have in common to be comparable. */
export interface Setting {
  readonly model: { readonly name: string; readonly version: string; readonly digest: string };
  /** Null if runs of all hosts are compared. */
  readonly host: string | null;
  readonly provider: string;
  readonly devices: readonly string[];
  readonly workers: number;
  /** Whether rows are frozen first. */
  readonly freezes: boolean;
}

import type { StageSeconds } from '../domain/stages.ts';
import type { WindowKind } from '../domain/window.ts';

/** What a run, or a measured slice of a window, took from its start to its end in one process. */
export interface Sample {
  readonly window: { readonly label: string; readonly kind: WindowKind; readonly start: string; readonly end: string };
  /** Rows that the query returned. */
  readonly rows: number;
  readonly seconds: StageSeconds;
  /** Bytes that the query was expected to read; undefined if the source cannot tell. */
  readonly bytes: number | undefined;
}

/** What must be equal for two runs to be comparable. */
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

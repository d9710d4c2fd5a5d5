import type { Column, Schema } from '../../domain/schema.ts';
import type { SourceSpan } from '../../domain/slice.ts';
import type { Dialect } from '../../warehouse/dialect.ts';
import type { TextRow } from '../../warehouse/reader.ts';

/** What a slice reads of a change source, and the instant that its end stands for. */
export interface SpanToRead {
  readonly span: SourceSpan;
  /**
   * The instant up to which the source reports changes, ISO string with microseconds; undefined if it has no rows. Never from
   * the runner's clock.
   */
  readonly asOf: string | undefined;
  /** Problems that do not stop the slice. */
  readonly warnings: readonly string[];
}

export interface SpanLimits {
  /** ISO instant that the span must not exceed: a local midnight, or the end of a window of the batch. */
  readonly cap?: string | undefined;
}

/** One change source of a job. It builds SQL and judges results; it never opens a warehouse. */
export interface ChangeSource {
  /** Its table, as in the job file. */
  readonly name: string;
  /**
   * SELECT of one row, all text: where the source ends now, counts of problems, and the warehouse's clock.
   *
   * @param from position of the previous slice; null for a slice of all users
   */
  bounds(dialect: Dialect, from: string | null): string;
  /**
   * The span from `from` to where the source ends now. Equal ends are valid: no new position, but late writes are read again.
   *
   * @param row of `bounds` for the same `from`
   * @throws ScoreBatchError `refused` if the source cannot be read from `from` on: its table was replaced or truncated, its
   * history has expired, its watermarks are in the future or null
   */
  span(row: TextRow, from: string | null, limits?: SpanLimits): SpanToRead;
  /**
   * SELECT of the distinct keys that changed within the span, under the names of `source.key`. It may include unchanged keys:
   * from ties, `lookback` and ambiguous wall-clock times. Rows with a null in their key belong to no user and are left out.
   */
  keys(dialect: Dialect, span: SourceSpan): string;
  /** Interprets an error from running `keys`: a refusal if the span can no longer be read, otherwise the same error. */
  refusal(error: unknown): unknown;
}

/** A change source whose table has not been described yet. */
export interface DeclaredSource {
  /** Its table, as in the job file. */
  readonly name: string;
  /** SELECT to describe, whose columns are those of the table. It need not run. */
  readonly columns: string;
  /**
   * @param table columns of `columns`
   * @param key columns of the job's query that are `source.key`, in its order
   * @throws ScoreBatchError `configuration` for a column that is missing or has an unsuitable type
   */
  found(table: Schema, key: readonly Column[]): ChangeSource;
}

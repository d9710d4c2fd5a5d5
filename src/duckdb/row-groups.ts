import { VECTOR_ROWS } from './vector.ts';

// A Parquet file is written and read one row group at a time. A text column of a row group is a single page, and a reader needs a
// buffer for all of it. So row groups are bounded by bytes, not only by rows.

/** A row group may take this fraction of a database's memory, which also holds its page and another page being read. */
const PART_OF_MEMORY = 5;
/** Larger row groups take more memory and are no faster. */
const MAX_BYTES = 8 * 2 ** 20;
/** Maximum rows of a row group. */
const MAX_ROWS = 122_880;

/** Bytes per row group. @param memory bytes of the database's memory per thread */
export function rowGroupBytes(memory: number): number {
  return Math.min(MAX_BYTES, Math.floor(memory / PART_OF_MEMORY));
}

/**
 * Option of COPY that bounds row groups by bytes. DuckDB requires `preserve_insertion_order` to be off; with one thread rows keep
 * their order anyway.
 */
export function rowGroupsOf(bytes: number): string {
  return `ROW_GROUP_SIZE_BYTES ${bytes}`;
}

/**
 * Option of COPY for rows whose order must be preserved. DuckDB can only bound them by rows, and checks after each vector.
 *
 * @param rowBytes approximate bytes per row
 */
export function orderedRowGroupsOf(bytes: number, rowBytes: number): string {
  const rows = Math.floor(bytes / Math.max(1, rowBytes) / VECTOR_ROWS) * VECTOR_ROWS;
  return `ROW_GROUP_SIZE ${Math.min(MAX_ROWS, Math.max(VECTOR_ROWS, rows))}`;
}

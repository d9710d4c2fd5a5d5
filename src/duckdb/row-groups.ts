// A Parquet file is written and read a row group at a time, and a text column of one is a single page: whoever reads it needs
// a buffer for all of it. So a row group is bounded by bytes, not only by rows.

/** Of a database's memory, what one row group may take: its rows, their page, and a page that is read at the same time. */
const PART_OF_MEMORY = 5;
/** More is no faster, and takes memory all the same. */
const MAX_BYTES = 8 * 2 ** 20;
/** Rows of a vector: DuckDB counts the bytes of a row group after each, so that none can be smaller. */
const VECTOR_ROWS = 2_048;
/** Rows of a row group where bytes do not limit it. */
const MAX_ROWS = 122_880;

/** Bytes of the row groups that a thread with this share of a database's memory can write. */
export function rowGroupBytes(memory: number): number {
  return Math.min(MAX_BYTES, Math.floor(memory / PART_OF_MEMORY));
}

/**
 * Option of COPY that bounds row groups by bytes. DuckDB takes it only where `preserve_insertion_order` is off; with one thread
 * rows keep their order all the same.
 */
export function rowGroupsOf(bytes: number): string {
  return `ROW_GROUP_SIZE_BYTES ${bytes}`;
}

/** The same for rows in an order that must be kept, which DuckDB can only bound by rows. @param rowBytes bytes of a row, about */
export function orderedRowGroupsOf(bytes: number, rowBytes: number): string {
  const rows = Math.floor(bytes / Math.max(1, rowBytes) / VECTOR_ROWS) * VECTOR_ROWS;
  return `ROW_GROUP_SIZE ${Math.min(MAX_ROWS, Math.max(VECTOR_ROWS, rows))}`;
}

/** The type of a parameter or result inside DuckDB. `score` is DECIMAL(7, 6): millionths, in four bytes. */
export type VectorType = 'INTEGER' | 'BIGINT' | 'FLOAT' | 'DOUBLE' | 'UTINYINT' | 'BOOLEAN' | 'score';

/** Bytes per value. */
export const VECTOR_WIDTH: Readonly<Record<VectorType, number>> = {
  INTEGER: 4,
  BIGINT: 8,
  FLOAT: 4,
  DOUBLE: 8,
  UTINYINT: 1,
  BOOLEAN: 1,
  score: 4,
};

/** A vector in DuckDB's memory: a view that is valid until the function returns. */
export interface Vector {
  readonly bytes: Uint8Array;
  /** One bit per row, least significant first, 1 = valid; undefined if there are no nulls. */
  readonly valid: Uint8Array | undefined;
}

/** DuckDB's vector size: the maximum rows of a data chunk. Appending chunks with more rows corrupted memory. */
export const VECTOR_ROWS = 2_048;

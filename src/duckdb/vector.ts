/** A parameter's or a result's type, by what it is inside DuckDB. `score` is DECIMAL(7, 6): its millionths, four bytes. */
export type VectorType = 'INTEGER' | 'BIGINT' | 'FLOAT' | 'DOUBLE' | 'UTINYINT' | 'BOOLEAN' | 'score';

/** Bytes of a value. */
export const VECTOR_WIDTH: Readonly<Record<VectorType, number>> = {
  INTEGER: 4,
  BIGINT: 8,
  FLOAT: 4,
  DOUBLE: 8,
  UTINYINT: 1,
  BOOLEAN: 1,
  score: 4,
};

/** A vector as DuckDB has it in memory: a view that lives until the function returns. */
export interface Vector {
  readonly bytes: Uint8Array;
  /** One bit per row, least significant first, 1 = valid; undefined where there are no nulls. */
  readonly valid: Uint8Array | undefined;
}

/** Rows that DuckDB hands over at once, at most. */
export const VECTOR_ROWS = 2_048;

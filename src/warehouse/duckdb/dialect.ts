import { canonicalText } from '../../duckdb/canonical-text.ts';
import { identifier, literal, tableIdentifier } from '../../duckdb/sql.ts';
import { duckdbType } from '../../duckdb/types.ts';
import type { Dialect } from '../dialect.ts';

export const DUCKDB: Dialect = {
  identifier,
  table: tableIdentifier,
  literal,
  type: duckdbType,
  quotient: (dividend, divisor) => `(${dividend}) // (${divisor})`,
  text: canonicalText,
  // The collation "C" compares bytes.
  bytes: (text) => `CAST(${text} AS VARCHAR) COLLATE "C"`,
  user: undefined,
  hash: (text) => `CAST('0x' || substr(md5(${text}), 1, 15) AS BIGINT)`,
};

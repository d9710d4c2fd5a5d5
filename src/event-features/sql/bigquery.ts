import { quotedName, sqlTable } from '../../domain/sql-name.ts';
import type { EventDialect } from './dialect.ts';

export const BIGQUERY: EventDialect = {
  column: (name) => quotedName(name, 'bigquery'),
  table: (name) => sqlTable(name, 'bigquery'),
  literal: (text) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`,
  types: { text: 'string', double: 'float64' },
  epochMs: (instant) => `unix_millis(${instant})`,
  // SUM itself fails beyond int64; the cast is for emulators with wider sums.
  wholeSum: (sum) => `cast(${sum} as int64)`,
  // An analytic function with ORDER BY allows no DISTINCT, and MAX_BY is not analytic:
  // https://cloud.google.com/bigquery/docs/reference/standard-sql/window-function-calls
  looksBack: (aggregate) => aggregate !== 'distinct' && aggregate !== 'last',
};

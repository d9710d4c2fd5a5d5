import { quotedName, sqlTable } from '../../domain/sql-name.ts';
import type { EventDialect } from './dialect.ts';

export const DUCKDB: EventDialect = {
  column: (name) => quotedName(name, 'duckdb'),
  table: (name) => sqlTable(name, 'duckdb'),
  literal: (text) => `'${text.replaceAll("'", "''")}'`,
  types: { text: 'varchar', double: 'double' },
  epochMs: (instant) => `epoch_ms(${instant})`,
  // Sums are HUGEINT, and the cast fails beyond int64.
  wholeSum: (sum) => `cast(${sum} as bigint)`,
  looksBack: () => true,
};

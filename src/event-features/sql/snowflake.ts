import { quotedName, sqlTable } from '../../domain/sql-name.ts';
import type { EventDialect } from './dialect.ts';

export const SNOWFLAKE: EventDialect = {
  // Columns have the upper-case names that unquoted identifiers get.
  column: (name) => quotedName(name.toUpperCase(), 'snowflake'),
  table: (name) => sqlTable(name, 'snowflake'),
  literal: (text) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`,
  types: { text: 'varchar', double: 'double' },
  epochMs: (instant) => `date_part(epoch_millisecond, ${instant})`,
  // Sums have 38 digits. The string in the last branch depends on the sum, so that it is only converted if needed.
  wholeSum: (sum) =>
    `case when ${sum} is null or ${sum} between -9223372036854775808 and 9223372036854775807 then ${sum} ` +
    `else to_number(concat('a sum overflows int64', left(to_varchar(${sum}), 0))) end`,
  // Snowflake refuses DISTINCT in ordered windows, and supports sliding range frames for some functions only.
  looksBack: () => false,
};

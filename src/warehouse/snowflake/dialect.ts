import type { Column } from '../../domain/schema.ts';
import type { TableColumn } from '../../domain/tables.ts';
import type { Dialect } from '../dialect.ts';
import { identifier, tableIdentifier } from './names.ts';

const TIME = "'YYYY-MM-DD HH24:MI:SS.FF6'";

export const SNOWFLAKE: Dialect = {
  identifier,
  table: tableIdentifier,
  literal,
  type: snowflakeType,
  // Dividing NUMBERs yields decimals, so subtract the remainder first.
  quotient: (dividend, divisor) => `CAST((${dividend} - MOD(${dividend}, ${divisor})) / (${divisor}) AS NUMBER(38,0))`,
  text: canonicalText,
  bytes: (text) => `TO_BINARY(${text}, 'UTF-8')`,
  // The first 64 bits of the MD5 without the last four; integers have 128 bits in Snowflake.
  user: 'CURRENT_USER()',
  hash: (text) => `BITSHIFTRIGHT(MD5_NUMBER_UPPER64(${text}), 4)`,
};

/** A string literal; a backslash starts an escape sequence in Snowflake. */
export function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

export function snowflakeType({ type, digits }: Pick<TableColumn, 'type' | 'digits'>): string {
  switch (type) {
    case 'integer':
      return 'NUMBER(38,0)';
    case 'decimal':
      return `NUMBER(${(digits ?? [38, 9]).join(',')})`;
    case 'float':
      return 'FLOAT';
    case 'bool':
      return 'BOOLEAN';
    case 'string':
    case 'uuid':
      return 'VARCHAR';
    case 'date':
      return 'DATE';
    case 'datetime':
      return 'TIMESTAMP_NTZ';
    case 'timestamp':
      return 'TIMESTAMP_TZ';
  }
}

/** Formats are explicit, because an account can have other defaults. */
function canonicalText(expression: string, { type, digits }: Pick<Column, 'type' | 'digits'>): string {
  const text = `CAST(${expression} AS VARCHAR)`;
  switch (type) {
    case 'decimal':
      return digits?.[1] === 0 ? text : `RTRIM(RTRIM(${text}, '0'), '.')`;
    case 'date':
      return `TO_CHAR(${expression}, 'YYYY-MM-DD')`;
    case 'datetime':
      // The cast is for the emulator, which formats only expressions known to be times.
      return `TO_CHAR(CAST(${expression} AS TIMESTAMP_NTZ), ${TIME})`;
    case 'timestamp':
      return `TO_CHAR(CONVERT_TIMEZONE('UTC', ${expression}), ${TIME})`;
    default:
      return text;
  }
}

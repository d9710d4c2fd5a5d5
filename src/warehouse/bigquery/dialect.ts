import type { TableColumn } from '../../domain/tables.ts';
import type { Dialect } from '../dialect.ts';

const TIME = "'%F %H:%M:%E6S'";
/** Characters of a time; padded, because BigQuery writes the year 1 as one digit. */
const TIME_LENGTH = 26;

/** GoogleSQL. */
export const BIGQUERY: Dialect = {
  identifier,
  table: (name) => name.map(identifier).join('.'),
  literal,
  type,
  // Extra parentheses for the emulator, which turns DIV into an operator.
  quotient: (dividend, divisor) => `DIV((${dividend}), (${divisor}))`,
  text: (expression, { type: kind, digits }) => {
    const text = `CAST(${expression} AS STRING)`;
    switch (kind) {
      case 'decimal':
        // Trailing zeros of a whole number are significant.
        return digits?.[1] === 0 ? text : `IF(STRPOS(${text}, '.') > 0, RTRIM(RTRIM(${text}, '0'), '.'), ${text})`;
      case 'float':
        // BigQuery writes `1`, the other warehouses `1.0`.
        return `IF(REGEXP_CONTAINS(${text}, r'^-?[0-9]+$'), CONCAT(${text}, '.0'), ${text})`;
      case 'datetime':
        return `LPAD(FORMAT_DATETIME(${TIME}, ${expression}), ${TIME_LENGTH}, '0')`;
      case 'timestamp':
        return `LPAD(FORMAT_TIMESTAMP(${TIME}, ${expression}), ${TIME_LENGTH}, '0')`;
      default:
        return text;
    }
  },
  // Removes a collation that the dataset may set as default. Without one, strings compare by code points, which is the order of
  // their UTF-8 bytes. Window functions cannot order by a string with a collation.
  bytes: (text) => `COLLATE(${text}, '')`,
  user: 'SESSION_USER()',
  hash: (text) => `CAST(CONCAT('0x', SUBSTR(TO_HEX(MD5(${text})), 1, 15)) AS INT64)`,
};

/** The type for a cast, without precision: only columns have one (see `columnField`). */
function type({ type: kind, digits }: Pick<TableColumn, 'type' | 'digits'>): string {
  switch (kind) {
    case 'integer':
      return 'INT64';
    case 'decimal':
      return fitsNumeric(digits) ? 'NUMERIC' : 'BIGNUMERIC';
    case 'float':
      return 'FLOAT64';
    case 'bool':
      return 'BOOL';
    case 'date':
      return 'DATE';
    case 'datetime':
      return 'DATETIME';
    case 'timestamp':
      return 'TIMESTAMP';
    case 'string':
    case 'uuid':
      return 'STRING';
  }
}

/** NUMERIC has 29 digits before the point and 9 after it. */
export function fitsNumeric([precision, scale]: readonly [number, number] = [38, 9]): boolean {
  return scale <= 9 && precision - scale <= 29;
}

function identifier(name: string): string {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}

function literal(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  return `'${escaped.replaceAll('\0', '\\x00')}'`;
}

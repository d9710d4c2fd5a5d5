import type { TableColumn } from '../../domain/tables.ts';
import type { Dialect } from '../sql/dialect.ts';

const TIME = "'%F %H:%M:%E6S'";
/** Characters of a time: BigQuery writes the year 1 as one digit. */
const TIME_LENGTH = 26;

/** GoogleSQL. */
export const BIGQUERY: Dialect = {
  identifier,
  table: (name) => name.map(identifier).join('.'),
  literal,
  type,
  // In brackets of their own for the emulator, which makes an operator of it.
  quotient: (dividend, divisor) => `DIV((${dividend}), (${divisor}))`,
  text: (expression, { type: kind, digits }) => {
    const text = `CAST(${expression} AS STRING)`;
    switch (kind) {
      case 'decimal':
        // A decimal without a fraction is a whole number, whose zeros at the end count.
        return digits?.[1] === 0 ? text : `IF(STRPOS(${text}, '.') > 0, RTRIM(RTRIM(${text}, '0'), '.'), ${text})`;
      case 'float':
        // `1` where others write `1.0`.
        return `IF(REGEXP_CONTAINS(${text}, r'^-?[0-9]+$'), CONCAT(${text}, '.0'), ${text})`;
      case 'datetime':
        return `LPAD(FORMAT_DATETIME(${TIME}, ${expression}), ${TIME_LENGTH}, '0')`;
      case 'timestamp':
        return `LPAD(FORMAT_TIMESTAMP(${TIME}, ${expression}), ${TIME_LENGTH}, '0')`;
      default:
        return text;
    }
  },
  // Takes a collation away that a dataset gives to the texts of its tables; texts without one are compared by their code points,
  // which have the order of their bytes. A window function refuses to order by a text that has one.
  bytes: (text) => `COLLATE(${text}, '')`,
  hash: (text) => `CAST(CONCAT('0x', SUBSTR(TO_HEX(MD5(${text})), 1, 15)) AS INT64)`,
};

/** The type for a cast, which takes no digits: only columns have them (see `columnField`). */
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

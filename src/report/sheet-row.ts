import type { TableColumn } from '../domain/tables.ts';
import { identifier, literal } from '../duckdb/sql.ts';
import { isoTime } from './csv.ts';

// Cells of an XLSX sheet (ECMA-376, part 1, 18.3.1.4), rendered by DuckDB like the lines of the CSV file. Every cell has a type,
// so text that looks like a formula is text.

/** Most characters (UTF-16 units) that Excel keeps in a cell. */
export const CELL_LIMIT = 32_767;

/** Significant digits that Excel keeps of a number. */
const DIGITS = 15;

/** Marks a string that is too long, followed by the letters of its column. Nothing else in a sheet contains this character. */
export const TOO_LONG = '\0';

/** Format codes of numbers. Times and dates have these forms in every locale of the reader. */
const GENERAL = 'General';
const WHOLE = '0';
const DATE = 'yyyy\\-mm\\-dd';
const TIME = 'yyyy\\-mm\\-dd\\ hh:mm:ss';

/** Days from the epoch of spreadsheets, 1899-12-30, to 1970-01-01. */
const EPOCH_DAYS = 25_569;
const DAY_MICROSECONDS = 86_400_000_000;
/** Before this day Excel counts 1900-02-29, which did not exist; it has nothing after the year 9999. */
const FIRST_DAY = '1900-03-01';
const LAST_DAY = '9999-12-31';

/** Characters that XML 1.0 forbids. */
const FORBIDDEN = '\\x00-\\x08\\x0B\\x0C\\x0E-\\x1F\\x{FFFE}\\x{FFFF}';
/** The ampersand must come first, since the other entities contain one. */
const ENTITIES = [
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
] as const;
/** Matches a string that XML and Excel accept unchanged. */
const PLAIN = `[^&<>_\\r${FORBIDDEN}]*`;

/** The format code of a column's cells. */
export function formatOf({ type, digits }: TableColumn): string {
  switch (type) {
    case 'integer':
      return WHOLE;
    case 'decimal': {
      const [, scale] = digits ?? [38, 9];
      return scale === 0 ? WHOLE : `0.${'0'.repeat(Math.min(scale, DIGITS))}`;
    }
    case 'date':
      return DATE;
    case 'datetime':
    case 'timestamp':
      return TIME;
    default:
      return GENERAL;
  }
}

/** `0` → `A`, `26` → `AA` */
export function lettersOf(column: number): string {
  const rest = column % 26;
  return `${column < 26 ? '' : lettersOf((column - rest) / 26 - 1)}${String.fromCharCode(65 + rest)}`;
}

/**
 * A DuckDB expression that renders a row as one element. A null has no cell. The user of rank 1 is in row 2, below the
 * header.
 *
 * @param styleOf index of the style of a column's cells
 */
export function sheetRow(columns: readonly TableColumn[], styleOf: (column: TableColumn) => number): string {
  const number = `CAST(${identifier('rank')} + 1 AS VARCHAR)`;
  const cells = columns.map((column, i) => cell(column, { letters: lettersOf(i), number, style: styleOf(column) }));
  return `concat('<row r="', ${number}, '">', ${cells.join(', ')}, '</row>')`;
}

interface Place {
  readonly letters: string;
  /** Expression for the number of the row. */
  readonly number: string;
  readonly style: number;
}

function cell(column: TableColumn, { letters, number, style }: Place): string {
  const open = `'<c r="${letters}' || ${number} ||`;
  const value = identifier(column.name);
  const asNumber = (content: string) => `${open} '" s="${style}"><v>' || ${content} || '</v></c>'`;
  const asText = (content: string) => `${open} '" t="inlineStr"><is><t xml:space="preserve">' || ${content} || '</t></is></c>'`;
  const either = (exact: string, content: string, otherwise: string) =>
    `CASE WHEN ${exact} THEN ${asNumber(content)} ELSE ${asText(otherwise)} END`;
  const plain = `CAST(${value} AS VARCHAR)`;
  switch (column.type) {
    case 'string':
      return asText(text(value, letters));
    case 'integer':
      return either(`${value} BETWEEN -${'9'.repeat(DIGITS)} AND ${'9'.repeat(DIGITS)}`, plain, plain);
    case 'decimal':
      return (column.digits ?? [38, 9])[0] <= DIGITS ? asNumber(plain) : either(fewDigits(plain), plain, plain);
    case 'float':
      return either(`isfinite(${value})`, plain, plain);
    case 'bool':
      return `${open} '" t="b"><v>' || CAST(CAST(${value} AS INTEGER) AS VARCHAR) || '</v></c>'`;
    case 'date':
      return either(
        `${value} BETWEEN DATE '${FIRST_DAY}' AND DATE '${LAST_DAY}'`,
        `CAST(CAST(${value} AS DATE) - DATE '1899-12-30' AS VARCHAR)`,
        plain,
      );
    case 'datetime':
      return either(within(value, 'TIMESTAMP', ''), serial(value), isoTime(value));
    case 'timestamp':
      return either(within(value, 'TIMESTAMPTZ', '+00'), serial(value), `${isoTime(value)} || 'Z'`);
    case 'uuid':
      return asText(plain);
  }
}

/** Whether a decimal has at most 15 significant digits. */
function fewDigits(decimal: string): string {
  const digits = `CASE WHEN contains(${decimal}, '.') THEN rtrim(${decimal}, '0') ELSE ${decimal} END`;
  return `length(ltrim(replace(${digits}, '.', ''), '-0')) <= ${DIGITS}`;
}

function within(value: string, type: string, zone: string): string {
  return `${value} BETWEEN ${type} '${FIRST_DAY} 00:00:00${zone}' AND ${type} '${LAST_DAY} 23:59:59.999999${zone}'`;
}

/** Days since the epoch of spreadsheets, with the time as a fraction; an instant in UTC. */
function serial(value: string): string {
  const microseconds = `CAST(epoch_us(${value}) + ${EPOCH_DAYS * DAY_MICROSECONDS} AS DOUBLE)`;
  return `CAST(${microseconds} / ${DAY_MICROSECONDS} AS VARCHAR)`;
}

function text(value: string, letters: string): string {
  // A string has at most as many characters as bytes, so few strings are counted. Characters beyond the basic plane count
  // twice.
  const astral = `regexp_replace(${value}, '[^\\x{10000}-\\x{10FFFF}]', '', 'g')`;
  const tooLong = `strlen(${value}) > ${CELL_LIMIT} AND length(${value}) + length(${astral}) > ${CELL_LIMIT}`;
  return `CASE WHEN ${tooLong} THEN chr(0) || '${letters}' WHEN regexp_full_match(${value}, ${literal(PLAIN)}) THEN ${value} ELSE ${escaped(value)} END`;
}

/** Excel reads `_x0041_` as `A` (ECMA-376, part 1, 22.9.2.19), so the underscore of such a sequence is itself encoded. */
function escaped(value: string): string {
  const visible = `regexp_replace(${value}, '[${FORBIDDEN}]', '', 'g')`;
  const underscores = `regexp_replace(${visible}, '_(x[0-9A-Fa-f]{4})', '_x005F_\\1', 'g')`;
  const entities = [...ENTITIES].map(([from, to]) => `${literal(from)}, ${literal(to)}`);
  const marked = entities.reduce((inner, pair) => `replace(${inner}, ${pair})`, underscores);
  // Unencoded, XML would read it as a line feed.
  return `replace(${marked}, chr(13), '&#13;')`;
}

/** The same for a column's name, which has no control characters. */
export function escapeXml(name: string): string {
  const underscores = name.replaceAll(/_(?=x[0-9A-Fa-f]{4})/g, '_x005F_');
  return ENTITIES.reduce((inner, [from, to]) => inner.replaceAll(from, to), underscores);
}

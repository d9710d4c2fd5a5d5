import type { TableColumn } from '../domain/tables.ts';
import { identifier, literal } from '../duckdb/sql.ts';

// DuckDB renders the CSV, vectorized: in JavaScript it took a third of a run. Values of every warehouse go through the same
// expressions, so the same publication gives the same bytes.

/** Characters that make a spreadsheet run a cell instead of showing it (OWASP, "CSV injection"), also in full-width form. */
const FORMULA_STARTS = ['=', '+', '-', '@', '\t', '\r', '\n', '\uFF1D', '\uFF0B', '\uFF0D', '\uFF20'];
/**
 * Characters that some reader treats as the end of a cell, a line or a quoted string, also in full-width form, and the
 * full-width formula characters: to a reader that separates by `;`, the `=1+1` of `x;=1+1` would be a cell of its own. Written
 * for a character class of both RE2 and JavaScript. In DuckDB, one character class costs as much as four calls of `contains`.
 */
const NEEDS_QUOTES = ',;"\\t\\n\\r\uFF0C\uFF1B\uFF02\uFF1D\uFF0B\uFF0D\uFF20';
/**
 * Matches a string that needs no change: it has no character of NEEDS_QUOTES and does not start like a formula. The first class
 * adds the formula characters that are not in NEEDS_QUOTES. DuckDB evaluates this once per dictionary entry, not once per row.
 */
const PLAIN = `([^=+@${NEEDS_QUOTES}-][^${NEEDS_QUOTES}]*)?`;

/** The header line. */
export function csvHeader(columns: readonly TableColumn[]): string {
  return `${columns.map(({ name }) => textCell(name)).join(',')}\n`;
}

/**
 * A DuckDB expression that renders a row as one line of RFC 4180 CSV, ending in `\n`. Text is quoted if necessary, and an
 * apostrophe in front of a formula makes spreadsheets show it as text.
 */
export function csvLine(columns: readonly TableColumn[]): string {
  const cells = columns.map(cell).flatMap((expression, i) => (i === 0 ? [expression] : ["','", expression]));
  return `concat(${[...cells, 'chr(10)'].join(', ')})`;
}

function cell({ name, type }: TableColumn): string {
  const value = identifier(name);
  switch (type) {
    case 'string':
      return `CASE WHEN regexp_full_match(${value}, ${literal(PLAIN)}) THEN ${value} ELSE ${quoted(guarded(value))} END`;
    case 'timestamp':
      return `${isoTime(value)} || 'Z'`;
    case 'datetime':
      return isoTime(value);
    default:
      return `CAST(${value} AS VARCHAR)`;
  }
}

function guarded(value: string): string {
  return `CASE WHEN left(${value}, 1) IN (${FORMULA_STARTS.map(character).join(', ')}) THEN '''' || ${value} ELSE ${value} END`;
}

function quoted(value: string): string {
  const special = `regexp_matches(text, ${literal(`[${NEEDS_QUOTES}]`)})`;
  return `list_transform([${value}], lambda text: CASE WHEN ${special} THEN '"' || replace(text, '"', '""') || '"' ELSE text END)[1]`;
}

/** `2026-11-18T09:00:00`, with microseconds unless they are zero. */
export function isoTime(value: string): string {
  return `CASE WHEN epoch_us(${value}) % 1000000 = 0 THEN strftime(${value}, '%Y-%m-%dT%H:%M:%S') ELSE strftime(${value}, '%Y-%m-%dT%H:%M:%S.%f') END`;
}

function character(text: string): string {
  return text < ' ' ? `chr(${text.charCodeAt(0)})` : literal(text);
}

function textCell(text: string): string {
  const safe = FORMULA_STARTS.includes(text.charAt(0)) ? `'${text}` : text;
  return new RegExp(`[${NEEDS_QUOTES}]`).test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

import type { TableColumn } from '../domain/tables.ts';
import { identifier, literal } from '../duckdb/sql.ts';

// CSV is rendered by DuckDB, vectorised: as JavaScript it took a third of a run. Every value of every warehouse goes through
// the expressions of this file, so the same publication gives the same bytes.

/** What makes a spreadsheet run a cell instead of showing it (OWASP, "CSV injection"), in plain and full-width form. */
const FORMULA_STARTS = ['=', '+', '-', '@', '\t', '\r', '\n', '\uFF1D', '\uFF0B', '\uFF0D', '\uFF20'];
/**
 * What some reader takes for the end of a cell, a line or a text, in plain and full-width form, and formulas in full-width form:
 * where `;` separates, the end of `x;=1+1` would be a cell of its own. As characters of a class, of RE2 and of JavaScript; one class
 * of characters takes DuckDB as long as four calls of `contains`.
 */
const NEEDS_QUOTES = ',;"\\t\\n\\r\uFF0C\uFF1B\uFF02\uFF1D\uFF0B\uFF0D\uFF20';
/**
 * A text that is written as it is: it has no character of NEEDS_QUOTES and begins as no formula does; what begins a formula and is not
 * in NEEDS_QUOTES stands in the first class. DuckDB asks this once for each text of a dictionary, and not once for each row.
 */
const PLAIN = `([^=+@${NEEDS_QUOTES}-][^${NEEDS_QUOTES}]*)?`;

/** The header line. */
export function csvHeader(columns: readonly TableColumn[]): string {
  return `${columns.map(({ name }) => textCell(name)).join(',')}\n`;
}

/**
 * A DuckDB expression for one row as a line of RFC 4180 CSV with `\n` at its end. Numbers and times are written as they are;
 * text is quoted where it must be, and what looks like a formula gets an apostrophe in front, which spreadsheets show as text.
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

/** `2026-11-18T09:00:00`, with microseconds where there are any. */
function isoTime(value: string): string {
  return `CASE WHEN epoch_us(${value}) % 1000000 = 0 THEN strftime(${value}, '%Y-%m-%dT%H:%M:%S') ELSE strftime(${value}, '%Y-%m-%dT%H:%M:%S.%f') END`;
}

function character(text: string): string {
  return text < ' ' ? `chr(${text.charCodeAt(0)})` : literal(text);
}

function textCell(text: string): string {
  const safe = FORMULA_STARTS.includes(text.charAt(0)) ? `'${text}` : text;
  return new RegExp(`[${NEEDS_QUOTES}]`).test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

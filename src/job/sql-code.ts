import type { WarehouseKind } from '../domain/warehouse-kind.ts';

interface Lexicon {
  /** Comments, quoted strings and quoted names. An unclosed one extends to the end. */
  readonly inert: RegExp;
  readonly comment: RegExp;
  /** Whether block comments nest. */
  readonly nested: boolean;
}

const LEXICONS: Readonly<Record<WarehouseKind, Lexicon>> = {
  // Quotes are escaped by doubling them; a backslash escapes only in E'…'. $$…$$ is a string.
  duckdb: {
    inert:
      /--[^\n]*|\/\*|\$(\w*)\$[\s\S]*?(?:\$\1\$|$)|\b[eE]'(?:[^'\\]|''|\\[\s\S])*(?:'|$)|'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)/g,
    comment: /--[^\n]*|\/\*/g,
    nested: true,
  },
  // Single and double quotes both delimit strings, triple quotes multi-line strings. A backslash escapes a quote, even in r'…'.
  bigquery: {
    inert:
      /--[^\n]*|#[^\n]*|\/\*|'''(?:[^\\]|\\[\s\S])*?(?:'''|$)|"""(?:[^\\]|\\[\s\S])*?(?:"""|$)|'(?:[^'\\]|\\[\s\S])*(?:'|$)|"(?:[^"\\]|\\[\s\S])*(?:"|$)|`(?:[^`\\]|\\[\s\S])*(?:`|$)/g,
    comment: /--[^\n]*|#[^\n]*|\/\*/g,
    nested: false,
  },
  // Quotes are escaped by doubling them or by a backslash. // starts a comment.
  snowflake: {
    inert: /--[^\n]*|\/\/[^\n]*|\/\*|\$\$[\s\S]*?(?:\$\$|$)|'(?:[^'\\]|''|\\[\s\S])*(?:'|$)|"(?:[^"]|"")*(?:"|$)/g,
    comment: /--[^\n]*|\/\/[^\n]*|\/\*/g,
    nested: false,
  },
};

/** The ranges `[start, end)` of a query's text that are code: not comments, strings or quoted names. */
export function codeRanges(sql: string, kind: WarehouseKind): [start: number, end: number][] {
  const ranges: [number, number][] = [];
  const lexicon = LEXICONS[kind];
  const inert = new RegExp(lexicon.inert);
  let start = 0;
  for (let match = inert.exec(sql); match !== null; match = inert.exec(sql)) {
    if (match.index > start) ranges.push([start, match.index]);
    start = match[0] === '/*' ? commentEnd(sql, match.index, lexicon) : inert.lastIndex;
    inert.lastIndex = start;
  }
  if (start < sql.length) ranges.push([start, sql.length]);
  return ranges;
}

/**
 * A query without its final semicolon.
 *
 * @returns undefined if the text has more than one statement
 */
export function singleStatement(sql: string, kind: WarehouseKind): string | undefined {
  const code = codeRanges(sql, kind);
  const [semicolon] = code.flatMap(([start, end]) => (sql.slice(start, end).includes(';') ? [sql.indexOf(';', start)] : []));
  if (semicolon === undefined) return sql;
  const rest = sql.slice(semicolon + 1);
  return /^[\s;]*$/.test(withoutComments(rest, LEXICONS[kind])) ? sql.slice(0, semicolon) : undefined;
}

/** Whether a text consists only of comments and whitespace. */
export function isBlank(sql: string, kind: WarehouseKind): boolean {
  return withoutComments(sql, LEXICONS[kind]).trim() === '';
}

function withoutComments(sql: string, lexicon: Lexicon): string {
  let text = '';
  let last = 0;
  for (const match of sql.matchAll(lexicon.comment)) {
    if (match.index < last) continue;
    text += sql.slice(last, match.index);
    last = match[0] === '/*' ? commentEnd(sql, match.index, lexicon) : match.index + match[0].length;
  }
  return text + sql.slice(last);
}

/** Index after the block comment that starts at `start`. */
function commentEnd(sql: string, start: number, { nested }: Lexicon): number {
  if (!nested) {
    const end = sql.indexOf('*/', start + 2);
    return end < 0 ? sql.length : end + 2;
  }
  let depth = 0;
  for (const match of sql.slice(start).matchAll(/\/\*|\*\//g)) {
    depth += match[0] === '/*' ? 1 : -1;
    if (depth === 0) return start + match.index + 2;
  }
  return sql.length;
}

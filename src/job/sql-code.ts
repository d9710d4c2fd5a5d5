import type { WarehouseKind } from '../domain/warehouse-kind.ts';

interface Lexicon {
  /** What may stand between code: comments, quoted text and quoted names. An unclosed one reaches to the end. */
  readonly inert: RegExp;
  readonly comment: RegExp;
  /** Whether block comments nest. */
  readonly nested: boolean;
}

const LEXICONS: Readonly<Record<WarehouseKind, Lexicon>> = {
  // Quotes inside are doubled, and a backslash escapes only in E'…'; $$…$$ is text.
  duckdb: {
    inert:
      /--[^\n]*|\/\*|\$(\w*)\$[\s\S]*?(?:\$\1\$|$)|\b[eE]'(?:[^'\\]|''|\\[\s\S])*(?:'|$)|'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)/g,
    comment: /--[^\n]*|\/\*/g,
    nested: true,
  },
  // Both quotes make text, thrice for text of several lines, and a backslash escapes, even in r'…' as far as its end goes.
  bigquery: {
    inert:
      /--[^\n]*|#[^\n]*|\/\*|'''(?:[^\\]|\\[\s\S])*?(?:'''|$)|"""(?:[^\\]|\\[\s\S])*?(?:"""|$)|'(?:[^'\\]|\\[\s\S])*(?:'|$)|"(?:[^"\\]|\\[\s\S])*(?:"|$)|`(?:[^`\\]|\\[\s\S])*(?:`|$)/g,
    comment: /--[^\n]*|#[^\n]*|\/\*/g,
    nested: false,
  },
  // A quote inside is doubled or escaped by a backslash; // begins a comment.
  snowflake: {
    inert: /--[^\n]*|\/\/[^\n]*|\/\*|\$\$[\s\S]*?(?:\$\$|$)|'(?:[^'\\]|''|\\[\s\S])*(?:'|$)|"(?:[^"]|"")*(?:"|$)/g,
    comment: /--[^\n]*|\/\/[^\n]*|\/\*/g,
    nested: false,
  },
};

/** The ranges `[start, end)` of a query's text that are code: neither comment nor string nor quoted name. */
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
 * A query without the semicolon that may end it.
 *
 * @returns undefined where more than one statement stands in the text
 */
export function singleStatement(sql: string, kind: WarehouseKind): string | undefined {
  const code = codeRanges(sql, kind);
  const [semicolon] = code.flatMap(([start, end]) => (sql.slice(start, end).includes(';') ? [sql.indexOf(';', start)] : []));
  if (semicolon === undefined) return sql;
  const rest = sql.slice(semicolon + 1);
  return /^[\s;]*$/.test(withoutComments(rest, LEXICONS[kind])) ? sql.slice(0, semicolon) : undefined;
}

/** Whether a text holds nothing that could run. */
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

/** Past the end of the block comment that starts at an index. */
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

// What may stand between code: comments, dollar-quoted text, quoted text and quoted names; a quote inside is doubled, and a
// backslash escapes only in E'…'. An unclosed one reaches to the end, where the warehouse will complain about it.
const INERT =
  /--[^\n]*|\/\*|\$(\w*)\$[\s\S]*?(?:\$\1\$|$)|\b[eE]'(?:[^'\\]|''|\\[\s\S])*(?:'|$)|'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)/g;

/** The ranges `[start, end)` of a query's text that are code: neither comment nor string nor quoted name. */
export function codeRanges(sql: string): [start: number, end: number][] {
  const ranges: [number, number][] = [];
  const inert = new RegExp(INERT);
  let start = 0;
  for (let match = inert.exec(sql); match !== null; match = inert.exec(sql)) {
    if (match.index > start) ranges.push([start, match.index]);
    start = match[0] === '/*' ? commentEnd(sql, match.index) : inert.lastIndex;
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
export function singleStatement(sql: string): string | undefined {
  const code = codeRanges(sql);
  const [semicolon] = code.flatMap(([start, end]) => (sql.slice(start, end).includes(';') ? [sql.indexOf(';', start)] : []));
  if (semicolon === undefined) return sql;
  const rest = sql.slice(semicolon + 1);
  return /^[\s;]*$/.test(withoutComments(rest)) ? sql.slice(0, semicolon) : undefined;
}

/** Whether a text holds nothing that could run. */
export function isBlank(sql: string): boolean {
  return withoutComments(sql).trim() === '';
}

function withoutComments(sql: string): string {
  let text = '';
  let last = 0;
  for (const match of sql.matchAll(/--[^\n]*|\/\*/g)) {
    if (match.index < last) continue;
    text += sql.slice(last, match.index);
    last = match[0] === '/*' ? commentEnd(sql, match.index) : match.index + match[0].length;
  }
  return text + sql.slice(last);
}

/** Past the end of the block comment that starts at an index; they nest, as in DuckDB and PostgreSQL. */
function commentEnd(sql: string, start: number): number {
  let depth = 0;
  for (const match of sql.slice(start).matchAll(/\/\*|\*\//g)) {
    depth += match[0] === '/*' ? 1 : -1;
    if (depth === 0) return start + match.index + 2;
  }
  return sql.length;
}

// What may stand between code: comments, dollar-quoted text, quoted text and quoted names; a quote inside is doubled, and a
// backslash escapes only in E'…'. An unclosed one reaches to the end, where the warehouse will complain about it.
const INERT =
  /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|\$(\w*)\$[\s\S]*?(?:\$\1\$|$)|\b[eE]'(?:[^'\\]|''|\\[\s\S])*(?:'|$)|'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)/g;

/** The ranges `[start, end)` of a query's text that are code: neither comment nor string nor quoted name. */
export function codeRanges(sql: string): [start: number, end: number][] {
  const ranges: [number, number][] = [];
  let start = 0;
  for (const match of sql.matchAll(INERT)) {
    if (match.index > start) ranges.push([start, match.index]);
    start = match.index + match[0].length;
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
  for (const [start, end] of codeRanges(sql)) {
    const semicolon = sql.slice(start, end).indexOf(';');
    if (semicolon < 0) continue;
    const rest = sql.slice(start + semicolon + 1);
    return /^(?:[\s;]|--[^\n]*|\/\*[\s\S]*?\*\/)*$/.test(rest) ? sql.slice(0, start + semicolon) : undefined;
  }
  return sql;
}

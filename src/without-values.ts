// A warehouse's error can quote row values: "Could not convert string 'jo@example.com' to INT32". Errors go to logs and into
// the ledger, so the quoted values are masked. To see them, run the query.

/**
 * The first line of a message with quoted strings and numbers masked, and DuckDB's pointer into the statement, if there is one.
 * Unquoted words stay.
 */
export function withoutValues(message: string): string {
  const [place = ''] = /\n{1,2}LINE \d+: [^\n]*(?:\n *\^)?\n?$/.exec(message) ?? [];
  const text = message.slice(0, message.length - place.length);
  const masked = text
    // The apostrophe would be taken for a quote.
    .replaceAll("can't", 'cannot')
    // From the first quote to the last: a value can contain quotes and line feeds.
    .replaceAll(/'[\s\S]*'/g, "'…'")
    .replaceAll(/"[\s\S]*"/g, '"…"')
    .replaceAll(/(?<![\w.])[-+]?\d[\d.,]*(?:e[-+]?\d+)?/gi, '…');
  return `${masked.split('\n', 1)[0]}${place}`;
}

/** An unexpected error with the values masked and the stack kept. */
export function bugWithoutValues(error: Error, message = withoutValues(error.message)): Error {
  const frames = (error.stack ?? '').split('\n').filter((line) => /^ {4}at /.test(line));
  const bug = new Error(message);
  bug.stack = [`${error.name}: ${message}`, ...frames].join('\n');
  return bug;
}

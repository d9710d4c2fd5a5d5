// What a warehouse says of a statement while rows go through it quotes them: "Could not convert string 'jo@example.com' to
// INT32". Such a text goes to logs and into the ledger, so it goes without what it quotes. Whoever needs the value runs the query.

/**
 * The first line of a message without quoted text and numbers, and the place in the statement where DuckDB shows one.
 * What stands there without quotes and is no number stays.
 */
export function withoutValues(message: string): string {
  const [place = ''] = /\n{1,2}LINE \d+: [^\n]*(?:\n *\^)?\n?$/.exec(message) ?? [];
  const said = message.slice(0, message.length - place.length);
  const masked = said
    // Its apostrophe would pass for the end of a quoted text.
    .replaceAll("can't", 'cannot')
    // From the first quote to the last one: a value may hold quotes, and lines, too.
    .replaceAll(/'[\s\S]*'/g, "'…'")
    .replaceAll(/"[\s\S]*"/g, '"…"')
    .replaceAll(/(?<![\w.])[-+]?\d[\d.,]*(?:e[-+]?\d+)?/gi, '…');
  return `${masked.split('\n', 1)[0]}${place}`;
}

/** A bug, shown with its stack as ever, that does not tell of rows either. */
export function bugWithoutValues(error: Error, message = withoutValues(error.message)): Error {
  const frames = (error.stack ?? '').split('\n').filter((line) => /^ {4}at /.test(line));
  const bug = new Error(message);
  bug.stack = [`${error.name}: ${message}`, ...frames].join('\n');
  return bug;
}

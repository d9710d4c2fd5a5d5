const GREEN = '\u001b[32m';
const RED = '\u001b[31m';
const CYAN = '\u001b[36m';
const PLAIN = '\u001b[39m';

/**
 * Whether text for a stream is coloured: FORCE_COLOR decides, then NO_COLOR (no-color.org), then whether it is a terminal.
 *
 * @param terminal whether the stream is one
 */
export function usesColour({ FORCE_COLOR, NO_COLOR, TERM }: NodeJS.ProcessEnv, terminal: boolean): boolean {
  if (FORCE_COLOR) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  return !NO_COLOR && terminal && TERM !== 'dumb';
}

/**
 * Colours the lines of a diff in a text, up to its first empty line: what was added, what was removed, where. Such lines are
 * indented by four. The text has no escapes of its own.
 */
export function paintDiff(text: string): string {
  const lines = text.split('\n');
  const end = lines.indexOf('');
  return lines
    .map((line, i) => {
      const [mark = ''] = (end < 0 || i < end ? /^ {4}(?:[+-]|@@ )/.exec(line) : null) ?? [];
      const colour = { '+': GREEN, '-': RED, ' ': CYAN }[mark.slice(-1)];
      return colour === undefined ? line : `${colour}${line}${PLAIN}`;
    })
    .join('\n');
}

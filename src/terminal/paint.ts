import type { Palette } from './colour.ts';

/**
 * Colours the lines of a diff in a text, up to its first empty line: what was added, what was removed, where. Such lines are
 * indented by four. The text has no escapes of its own.
 */
export function paintDiff(text: string, { green, red, dim }: Palette): string {
  const lines = text.split('\n');
  const end = lines.indexOf('');
  return lines
    .map((line, i) => {
      const [mark = ''] = (end < 0 || i < end ? /^ {4}(?:[+-]|@@ )/.exec(line) : null) ?? [];
      const colour = { '+': green, '-': red, ' ': dim }[mark.slice(-1)];
      return colour === undefined ? line : colour(line);
    })
    .join('\n');
}

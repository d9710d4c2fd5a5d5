import type { Palette } from './colour.ts';

/**
 * Colours a diff at the start of a text, up to the first empty line: additions, removals and positions. Its lines are indented
 * by four. The text must not contain escapes.
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

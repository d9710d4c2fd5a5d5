/**
 * Whether a string has more characters than `most`. Counts Unicode characters, as JSON Schema does: a surrogate pair is one.
 */
export function isLongerThan(text: string, most: number): boolean {
  if (text.length <= most) return false;
  // No character has more than two UTF-16 units.
  if (text.length > 2 * most) return true;
  let characters = 0;
  for (const _ of text) characters += 1;
  return characters > most;
}

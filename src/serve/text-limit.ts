/**
 * Whether a text has more characters than `most`. A character is one of Unicode, as JSON Schema counts: a pair of surrogates is
 * one.
 */
export function isLongerThan(text: string, most: number): boolean {
  if (text.length <= most) return false;
  // No character has more than two units.
  if (text.length > 2 * most) return true;
  let characters = 0;
  for (const _ of text) characters += 1;
  return characters > most;
}

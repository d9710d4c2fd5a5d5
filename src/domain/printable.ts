/**
 * What a terminal acts on instead of showing it: C0, DEL and C1, the separators of lines and paragraphs, and what changes the
 * direction of text (Unicode TR36, "Bidirectional Text Spoofing").
 */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;
const CONTROLS = new RegExp(CONTROL, 'gu');
/** In text of ours, tabs and line feeds are its layout. */
const NOT_LAYOUT = new RegExp(`(?![\\t\\n])${CONTROL.source}`, 'gu');

/** Text of several lines for a terminal: its lines and tabs stay, all else that a terminal acts on is shown as `\u001b`. */
export function printable(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(NOT_LAYOUT, escaped);
}

/** A single value for a terminal: it stays in its line and in its column. */
export function printableValue(text: string): string {
  return text.replace(CONTROLS, escaped);
}

/** One line of JSON. `JSON.stringify` escapes C0 only; what it leaves acts on a terminal too. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(CONTROLS, escaped);
}

/** Whether a text can be a name: it has nothing that a terminal acts on, nor tabs or lines of its own. */
export function isPrintable(name: string): boolean {
  return !CONTROL.test(name);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/**
 * Characters that a terminal interprets: C0, DEL and C1, line and paragraph separators, and bidirectional controls (Unicode
 * TR36, "Bidirectional Text Spoofing").
 */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;
const CONTROLS = new RegExp(CONTROL, 'gu');
/** Tabs and line feeds are layout in our own texts, so they stay. */
const NOT_LAYOUT = new RegExp(`(?![\\t\\n])${CONTROL.source}`, 'gu');

/** Text of several lines for a terminal: line feeds and tabs stay, other control characters are shown as `\u001b`. */
export function printable(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(NOT_LAYOUT, escaped);
}

/** A single value for a terminal. It cannot break out of its line or column. */
export function printableValue(text: string): string {
  return text.replace(CONTROLS, escaped);
}

/** Strings that JSON only needs to quote, not to escape: nearly all ids and names. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** One line of JSON. `JSON.stringify` escapes only C0; this escapes the other control characters too. */
export function printableJson(value: unknown): string {
  if (typeof value === 'string' && PLAIN.test(value)) return `"${value}"`;
  return JSON.stringify(value).replace(CONTROLS, escaped);
}

/** Text for people who must not see escapes: each control character becomes U+FFFD, the replacement character. */
export function withoutControls(text: string): string {
  return text.replace(CONTROLS, '\ufffd');
}

/** Whether a string can be a name: it has no control characters, including tabs and line feeds. */
export function isPrintable(name: string): boolean {
  return !CONTROL.test(name);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

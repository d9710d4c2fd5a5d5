import fc from 'fast-check';

/** Texts of characters with a special meaning in some warehouse's SQL, in a spreadsheet or in a URL. */
export const hostileText = fc.string({
  unit: fc.oneof(
    fc.constantFrom("'", '"', '`', '\\', '\n', '\r', '--', '#', '//', '/*', '*/', '$$', ';', "'''", '"""', ' ', '{', '}', '%'),
    fc.constantFrom(':window_start', 'x', 'e', 'r', '＇', '’', '\u2028', '💶', '&', '?', '=', '@', '\\u0027', '\\x27'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
  maxLength: 12,
});

/** The same without characters that a warehouse or its client cannot store. */
export const storableText = hostileText.map((text) => text.replaceAll('\0', ''));

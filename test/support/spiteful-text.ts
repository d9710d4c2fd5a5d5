import fc from 'fast-check';

/** Texts made of what ends, begins or escapes something in the SQL of some warehouse, in a spreadsheet or in a URL. */
export const spitefulText = fc.string({
  unit: fc.oneof(
    fc.constantFrom("'", '"', '`', '\\', '\n', '\r', '--', '#', '//', '/*', '*/', '$$', ';', "'''", '"""', ' ', '{', '}', '%'),
    fc.constantFrom(':window_start', 'x', 'e', 'r', '＇', '’', '\u2028', '💶', '&', '?', '=', '@', '\\u0027', '\\x27'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
  maxLength: 12,
});

/** Without what the clients or the servers of warehouses cannot hold. */
export const storableText = spitefulText.map((text) => text.replaceAll('\0', ''));

import { randomUUID } from 'node:crypto';

/** An integer that a double may not hold. 64-bit ones have 20 digits at most. */
const LARGE = /[[,:\s]-?\d{16,20}(?![\d.eE])/;

const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * The value of a JSON text, in which integers of 16 to 20 digits are bigints: `JSON.parse` rounds what is beyond 2^53.
 *
 * @throws SyntaxError
 */
export function parseExact(text: string): unknown {
  if (!LARGE.test(text)) return JSON.parse(text);
  // No text of the answer begins with it.
  const mark = randomUUID();
  const marked = text.replace(TOKENS, (token) => (/^-?\d{16,20}$/.test(token) ? `"${mark}${token}"` : token));
  return JSON.parse(marked, (_, value: unknown) =>
    typeof value === 'string' && value.startsWith(mark) ? BigInt(value.slice(mark.length)) : value,
  );
}

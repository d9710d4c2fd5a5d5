import { randomUUID } from 'node:crypto';

/** An integer that a double may not hold exactly. 64-bit integers have at most 20 digits. */
const LARGE = /[[,:\s]-?\d{16,20}(?![\d.eE])/;

const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * Parses JSON, with integers of 16 to 20 digits as bigints: `JSON.parse` rounds beyond 2^53.
 *
 * @throws SyntaxError
 */
export function parseExact(text: string): unknown {
  if (!LARGE.test(text)) return JSON.parse(text);
  // No string of the answer begins with it.
  const mark = randomUUID();
  const marked = text.replace(TOKENS, (token) => (/^-?\d{16,20}$/.test(token) ? `"${mark}${token}"` : token));
  return JSON.parse(marked, (_, value: unknown) =>
    typeof value === 'string' && value.startsWith(mark) ? BigInt(value.slice(mark.length)) : value,
  );
}

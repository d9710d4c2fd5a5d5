import { isUtf8 } from 'node:buffer';
import { ServeFailure } from './failure.ts';
import type { OnlineModel } from './online-model.ts';

/**
 * How many lists and objects, and how many keys, are accepted whatever the model. Millions fit into a few megabytes, and take
 * seconds to parse.
 */
const ALWAYS_TAKEN = 2 ** 17;

interface JsonOptions {
  /** Model of the rows: its limits raise those above to an object or list per row, and a key per feature and row. */
  readonly model: Pick<OnlineModel, 'maxRows' | 'kinds'> & Partial<Pick<OnlineModel, 'features'>>;
  /** What to send instead of NaN or an infinity; no full stop. */
  readonly insteadOfNaN: string;
  /** Hint if there are too many lists, objects or keys; by default, to send fewer rows. */
  readonly fewer?: string;
  /** Hint if it is not JSON. */
  readonly hint?: string;
}

/**
 * Parses JSON. Integers beyond 2^53 are rounded, as in `JSON.parse`.
 *
 * @throws ServeFailure `invalid`, or `too large` for too many lists, objects or keys. It does not quote the text, which may
 * hold feature values.
 */
export function parseJson(bytes: Uint8Array, options: JsonOptions): unknown {
  const hint = options.hint === undefined ? {} : { hint: options.hint };
  // Decoding would replace invalid UTF-8, and the model would see another string.
  if (!isUtf8(bytes)) throw new ServeFailure('invalid', 'the JSON is not UTF-8', hint);
  if (bytes.length > ALWAYS_TAKEN) refuseMany(bytes, options);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text.
    const word = /[[:,]\s*-?(NaN|Infinity)\b/.exec(text)?.[1];
    const instead = word === undefined ? hint : { hint: `JSON has no ${word}; ${options.insteadOfNaN}` };
    throw new ServeFailure('invalid', 'the body is not JSON', instead);
  }
}

function refuseMany(bytes: Uint8Array, { model, fewer }: JsonOptions): void {
  const most = {
    'lists and objects': Math.max(ALWAYS_TAKEN, 2 * model.maxRows),
    // One more than the rows have: the key of the list of rows.
    keys: Math.max(ALWAYS_TAKEN, model.maxRows * (model.kinds.length + (model.features?.keys.length ?? 0)) + 1),
  };
  const found = count(bytes);
  for (const what of ['lists and objects', 'keys'] as const) {
    if (found[what] <= most[what]) continue;
    throw new ServeFailure('too large', `the JSON has more than ${most[what]} ${what}`, {
      hint: fewer ?? `send at most ${model.maxRows} rows in a request`,
    });
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const OPEN_BRACE = 0x7b;

/** Counts outside strings. */
function count(bytes: Uint8Array): { readonly 'lists and objects': number; readonly keys: number } {
  let nodes = 0;
  let keys = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === OPEN_BRACKET || byte === OPEN_BRACE) nodes += 1;
    else if (byte === COLON) keys += 1;
    else if (byte === QUOTE) at = endOfText(bytes, at + 1);
  }
  return { 'lists and objects': nodes, keys };
}

/** Position of the quote that ends a string. */
function endOfText(bytes: Uint8Array, start: number): number {
  for (let at = start; at < bytes.length; at += 1) {
    if (bytes[at] === QUOTE) return at;
    if (bytes[at] === BACKSLASH) at += 1;
  }
  return bytes.length;
}

/** A number as JSON; NaN and infinities, which JSON lacks, become null. Keeps the sign of -0, which `String` drops. */
export function jsonNumber(value: number): string {
  if (value === 0) return 1 / value < 0 ? '-0' : '0';
  return Number.isFinite(value) ? String(value) : 'null';
}

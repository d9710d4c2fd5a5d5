import { isUtf8 } from 'node:buffer';
import { ServeFailure } from './failure.ts';
import type { OnlineModel } from './online-model.ts';

/**
 * Lists and objects of a JSON text, and keys, that are taken whatever the model. Millions of them fit into a few megabytes, and
 * take seconds to parse.
 */
const ALWAYS_TAKEN = 2 ** 17;

interface JsonOptions {
  /** Whose rows the text holds: an object or a list per row, and a key per feature and row, are taken in any case. */
  readonly model: Pick<OnlineModel, 'maxRows' | 'kinds'> & Partial<Pick<OnlineModel, 'features'>>;
  /** What is to be sent instead of NaN or an infinity, without a full stop. */
  readonly insteadOfNaN: string;
  /** Hint for a text that has too many lists, objects or keys; without it, to send fewer rows. */
  readonly fewer?: string;
  /** Hint for a text that is not JSON. */
  readonly hint?: string;
}

/**
 * The value of a JSON text. Integers beyond 2^53 are rounded, as `JSON.parse` does.
 *
 * @throws ServeFailure `invalid`, or `too large` for too many lists, objects or keys. It does not quote the text, which may hold
 *   values of features.
 */
export function parseJson(bytes: Uint8Array, options: JsonOptions): unknown {
  const hint = options.hint === undefined ? {} : { hint: options.hint };
  // Decoding would replace what is not UTF-8, and the model would see another text.
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
    // One more than the rows have: the key of the rows themselves.
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

/** Counts outside texts. */
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

/** Position of the quote that ends a text. */
function endOfText(bytes: Uint8Array, start: number): number {
  for (let at = start; at < bytes.length; at += 1) {
    if (bytes[at] === QUOTE) return at;
    if (bytes[at] === BACKSLASH) at += 1;
  }
  return bytes.length;
}

/** A number as JSON, which has no NaN and no infinity: they are null. The sign of -0 is kept, which `String` drops. */
export function jsonNumber(value: number): string {
  if (value === 0) return 1 / value < 0 ? '-0' : '0';
  return Number.isFinite(value) ? String(value) : 'null';
}

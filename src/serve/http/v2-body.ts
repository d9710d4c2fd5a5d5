import { isUtf8 } from 'node:buffer';
import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { systemCode } from '../../errors.ts';
import { ServeFailure } from '../failure.ts';
import { shown } from '../oip/shown.ts';

const INFLATE = { gzip: promisify(gunzip), 'x-gzip': promisify(gunzip), deflate: promisify(inflate) } as const;

/**
 * The body of a request, inflated as its `Content-Encoding` says. Inflating stops at the limit.
 *
 * @param most bytes after inflating
 * @throws ServeFailure `too large`, or `invalid` if the encoding is unknown or the body is not in it
 */
export async function inflated(body: unknown, encoding: string | undefined, most: number): Promise<Buffer> {
  if (!Buffer.isBuffer(body) || body.length === 0) throw new ServeFailure('invalid', 'the request has no body');
  const name = encoding?.trim().toLowerCase() ?? '';
  if (name === '' || name === 'identity') return body;
  if (!isInflatable(name)) {
    throw new ServeFailure('invalid', `Content-Encoding ${shown(name)} is not supported`, {
      hint: 'send gzip, deflate or neither',
    });
  }
  try {
    return await INFLATE[name](body, { maxOutputLength: most });
  } catch (error) {
    if (systemCode(error) === 'ERR_BUFFER_TOO_LARGE') {
      throw new ServeFailure('too large', `the inflated body has more than ${most} bytes`);
    }
    throw new ServeFailure('invalid', `the body is not ${name}`, { cause: error });
  }
}

function isInflatable(name: string): name is keyof typeof INFLATE {
  return Object.hasOwn(INFLATE, name);
}

/** Lists and objects of a JSON text. Millions of them fit into a few megabytes, and take seconds to parse. */
const MOST_NODES = 2 ** 17;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const OPEN_BRACE = 0x7b;

/**
 * The value of a JSON text.
 *
 * @throws ServeFailure `invalid`, or `too large` for too many lists and objects. It does not quote the text, which may hold
 *   values of features.
 */
export function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new ServeFailure('invalid', 'the JSON is not UTF-8');
  if (bytes.length > MOST_NODES && nodes(bytes) > MOST_NODES) {
    throw new ServeFailure('too large', `the JSON has more than ${MOST_NODES} lists and objects`, {
      hint: 'send the data of a tensor flat, or in binary',
    });
  }
  const text = bytes.toString();
  try {
    return JSON.parse(text);
  } catch {
    const word = /[[:,]\s*-?(NaN|Infinity)\b/.exec(text)?.[1];
    throw new ServeFailure(
      'invalid',
      'the body is not JSON',
      word ? { hint: `JSON has no ${word}; send the tensor in binary` } : {},
    );
  }
}

/** Counts lists and objects, outside texts. */
function nodes(bytes: Buffer): number {
  let count = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === OPEN_BRACKET || byte === OPEN_BRACE) count += 1;
    else if (byte === QUOTE) at = endOfText(bytes, at + 1);
  }
  return count;
}

/** Position of the quote that ends a text. */
function endOfText(bytes: Buffer, start: number): number {
  for (let at = start; at < bytes.length; at += 1) {
    if (bytes[at] === QUOTE) return at;
    if (bytes[at] === BACKSLASH) at += 1;
  }
  return bytes.length;
}

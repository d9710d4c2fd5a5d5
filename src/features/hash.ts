import type { Rejection } from './rejection.ts';

/** Increase this when the hash of the same features changes. */
const VERSION = 1;

/** The encoded values of one input, row-major. */
interface Encoded {
  readonly values: Float32Array | Float64Array | BigInt64Array | Uint8Array | readonly string[];
  readonly shape: readonly number[];
}

/**
 * Hashes the model's input for each row: 64 bits over the bytes of its encoded values and its rejection. Equal features have
 * equal hashes on every machine and in every run. 0.0 and -0.0 differ, because a model may distinguish them. The constants and
 * the final mixing are those of MurmurHash3 (Austin Appleby, public domain). Each word takes one multiplication in each of two
 * 32-bit lanes.
 */
export interface FeatureHasher {
  /** @param into receives two words per row, the lower one first */
  hash(inputs: readonly Encoded[], rejected: Int32Array | readonly Rejection[], rows: number, into: Uint32Array): void;
}

export function createFeatureHasher(): FeatureHasher {
  const texts = new Map<string, number>();
  return {
    hash(inputs, rejected, rows, into) {
      for (let row = 0; row < rows; row += 1) {
        into[2 * row] = VERSION;
        into[2 * row + 1] = mix(VERSION, rejected[row] as number);
      }
      for (const { values, shape } of inputs) {
        const width = shape[1] ?? 1;
        if (isText(values)) mixTexts(values, { width, rows }, into, texts);
        else if (values instanceof Uint8Array) mixWords(values, width, rows, into);
        else {
          const words = new Uint32Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength / 4);
          mixWords(words, (width * values.BYTES_PER_ELEMENT) / 4, rows, into);
        }
      }
      for (let row = 0; row < rows; row += 1) {
        const low = finish((into[2 * row] as number) ^ Math.imul(into[2 * row + 1] as number, 0x9e3779b1));
        into[2 * row] = low;
        into[2 * row + 1] = finish((into[2 * row + 1] as number) ^ low);
      }
    },
  };
}

function isText(values: Encoded['values']): values is readonly string[] {
  return Array.isArray(values);
}

function mixWords(words: Uint32Array | Uint8Array, width: number, rows: number, into: Uint32Array): void {
  for (let row = 0, at = 0; row < rows; row += 1) {
    let low = into[2 * row] as number;
    let high = into[2 * row + 1] as number;
    for (const end = at + width; at < end; at += 1) {
      const word = words[at] as number;
      // One multiplication per lane. The factors are odd, so each step is reversible and different words stay different.
      low = Math.imul(low ^ word, 0xcc9e2d51);
      low = (low << 13) | (low >>> 19);
      high = Math.imul(high + word, 0x85ebca6b);
      high ^= high >>> 15;
    }
    into[2 * row] = low;
    into[2 * row + 1] = high;
  }
}

function mixTexts(
  values: readonly string[],
  { width, rows }: { readonly width: number; readonly rows: number },
  into: Uint32Array,
  known: Map<string, number>,
): void {
  for (let row = 0, at = 0; row < rows; row += 1) {
    for (const end = at + width; at < end; at += 1) {
      const word = textHash(values[at] as string, known);
      into[2 * row] = mix(into[2 * row] as number, word);
      into[2 * row + 1] = mix(into[2 * row + 1] as number, ~word);
    }
  }
}

/** Strings repeat, so hashes are cached, up to this many. */
const MAX_TEXTS = 10_000;

function textHash(text: string, known: Map<string, number>): number {
  const found = known.get(text);
  if (found !== undefined) return found;
  let hash = text.length;
  for (let i = 0; i < text.length; i += 1) hash = mix(hash, text.charCodeAt(i));
  if (known.size < MAX_TEXTS) known.set(text, hash);
  return hash;
}

function mix(hash: number, word: number): number {
  const scrambled = Math.imul(word, 0xcc9e2d51);
  const rotated = Math.imul((scrambled << 15) | (scrambled >>> 17), 0x1b873593) ^ hash;
  return (Math.imul((rotated << 13) | (rotated >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(hash: number): number {
  const first = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  const second = Math.imul(first ^ (first >>> 13), 0xc2b2ae35);
  return (second ^ (second >>> 16)) >>> 0;
}

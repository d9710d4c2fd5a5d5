import { isValid } from '../domain/column-batch.ts';

// Converts decimals in DuckDB's memory layout: scaled integers of 2, 4, 8 or 16 bytes, little-endian.

/** A double represents every integer up to this. */
const EXACT = 2 ** 53;
const WORD = 2 ** 32;

/**
 * Converts like CAST(… AS DOUBLE). A scaled integer that a double represents exactly is divided by the power of ten. For a
 * larger one, the integer part and the fraction are converted separately and added.
 *
 * @param bytes values of `width` bytes each
 */
export function decimalsToDoubles(bytes: Uint8Array, width: number, scale: number, out: Float64Array): void {
  const power = 10 ** scale;
  const { buffer, byteOffset } = bytes;
  const rows = bytes.length / width;
  if (width <= 4) {
    const values = width === 2 ? new Int16Array(buffer, byteOffset, rows) : new Int32Array(buffer, byteOffset, rows);
    for (let row = 0; row < rows; row += 1) out[row] = (values[row] as number) / power;
    return;
  }
  const stride = width / 4;
  const words = new Int32Array(buffer, byteOffset, rows * stride);
  const divisor = 10n ** BigInt(scale);
  for (let row = 0, at = 0; row < rows; row += 1, at += stride) {
    const upper = words[at + 1] as number;
    const value = upper * WORD + ((words[at] as number) >>> 0);
    const sign = upper >> 31;
    const short = stride === 2 || (words[at + 2] === sign && words[at + 3] === sign);
    if (short && value <= EXACT && value >= -EXACT && isExact(upper, words[at] as number)) out[row] = value / power;
    else {
      const long = readLong(words, at, stride);
      const toDouble = stride === 2 ? Number : hugeToDouble;
      out[row] = scale === 0 ? toDouble(long) : toDouble(long / divisor) + toDouble(long % divisor) / power;
    }
  }
}

/** Whether a number is at most 2^53 in size, from its two halves: a larger sum may have been rounded to 2^53. */
function isExact(upper: number, lower: number): boolean {
  return (upper < 2 ** 21 && upper >= -(2 ** 21)) || (upper === 2 ** 21 && lower === 0);
}

/** Converts decimals with scale 0 like CAST(… AS BIGINT). @throws Error for a value that does not fit; nulls are ignored */
export function decimalsToIntegers(bytes: Uint8Array, width: number, valid: Uint8Array | undefined, out: BigInt64Array): void {
  const { buffer, byteOffset } = bytes;
  const rows = bytes.length / width;
  if (width <= 4) {
    const values = width === 2 ? new Int16Array(buffer, byteOffset, rows) : new Int32Array(buffer, byteOffset, rows);
    for (let row = 0; row < rows; row += 1) out[row] = BigInt(values[row] as number);
    return;
  }
  const stride = width / 4;
  const words = new Int32Array(buffer, byteOffset, rows * stride);
  const pairs = new Int32Array(out.buffer, out.byteOffset, rows * 2);
  for (let row = 0, at = 0; row < rows; row += 1, at += stride) {
    pairs[row * 2] = words[at] as number;
    pairs[row * 2 + 1] = words[at + 1] as number;
    const sign = (words[at + 1] as number) >> 31;
    if (stride === 2 || (words[at + 2] === sign && words[at + 3] === sign) || !isValid(valid, row)) continue;
    // Worded like DuckDB's error, so that `featureError` recognises it.
    throw new Error('Conversion Error: a whole number of up to 38 digits does not fit 64 bits');
  }
}

function readLong(words: Int32Array, at: number, stride: number): bigint {
  let value = BigInt(words[at + stride - 1] as number);
  for (let word = stride - 2; word >= 0; word -= 1) value = (value << 32n) | BigInt((words[at + word] as number) >>> 0);
  return value;
}

/** DuckDB's HUGEINT to DOUBLE. Rounds the halves one after the other, which does not always give the nearest double. */
function hugeToDouble(value: bigint): number {
  const upper = value >> 64n;
  const lower = BigInt.asUintN(64, value);
  if (upper === -1n) return -Number(0xffff_ffff_ffff_ffffn - lower) - 1;
  return Number(lower) + Number(upper) * 2 ** 64;
}

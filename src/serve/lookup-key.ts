import type { KeyValue, LookupKey } from './feature-lookup.ts';
import { isLongerThan } from './text-limit.ts';

const MAX_INT64 = 2n ** 63n - 1n;
const MIN_INT64 = -(2n ** 63n);

/** An unpaired surrogate, which UTF-8 cannot encode. */
const UNPAIRED = /\p{Surrogate}/u;

/**
 * Reads a join key's value from a request. Types are strict: a store that reads a string as a number, or vice versa, would
 * answer for another key.
 *
 * @param text most characters of a string
 * @returns `problem` if it is of another type: `must be a string`
 */
export function readKey(
  { kind }: LookupKey,
  value: unknown,
  text: number,
): { readonly value: KeyValue } | { readonly problem: string } {
  const isText = typeof value === 'string' && !isLongerThan(value, text) && !UNPAIRED.test(value);
  if (kind === 'text') return isText ? { value } : { problem: `must be a string of at most ${text} characters` };
  if (Number.isSafeInteger(value) || (typeof value === 'bigint' && fits(value))) return { value: value as number | bigint };
  if (kind === 'any')
    return isText ? { value } : { problem: 'must be a string, or a whole number from -9007199254740991 to 9007199254740991' };
  // JSON.parse rounds larger numbers.
  if (typeof value === 'string' && /^-?\d{1,19}$/.test(value) && fits(BigInt(value))) return { value: BigInt(value) };
  return { problem: 'must be a 64-bit whole number; send one beyond 9007199254740991 as a string of digits' };
}

function fits(value: bigint): boolean {
  return value <= MAX_INT64 && value >= MIN_INT64;
}

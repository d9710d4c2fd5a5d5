import type { InputDtype } from '../domain/signature.ts';
import type { NullReason, StoredValue } from '../serve/feature-lookup.ts';
import { isLongerThan } from '../serve/text-limit.ts';
import type { AnswerColumn } from './answer.ts';

const MAX_INT64 = 2n ** 63n - 1n;
const MIN_INT64 = -(2n ** 63n);

/** An unpaired surrogate, which UTF-8 cannot encode. */
const UNPAIRED = /\p{Surrogate}/u;

/** What an element type accepts, for messages. */
export const WANTED: Readonly<Record<InputDtype, string>> = {
  float32: 'a number',
  float64: 'a number',
  int64: 'a 64-bit whole number',
  bool: 'true or false',
  string: 'a string',
};

/** Feast encodes numbers that JSON lacks as protobuf does. */
const NOT_FINITE: ReadonlyMap<unknown, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);

/**
 * Converts a value of an answer for a cell of an element type, with the widenings of warehouse columns: booleans and integers
 * to floats, booleans to integers.
 *
 * @param text most characters of a string
 * @returns undefined if it is of another type
 */
export function storedValue(value: unknown, dtype: InputDtype, text: number): StoredValue | undefined {
  if (value === null) return null;
  switch (dtype) {
    case 'float32':
    case 'float64':
      if (typeof value === 'number') return value;
      if (typeof value === 'bigint' || typeof value === 'boolean') return Number(value);
      return NOT_FINITE.get(value);
    case 'int64':
      return integerOf(value);
    case 'bool':
      return typeof value === 'boolean' ? value : undefined;
    case 'string':
      return typeof value === 'string' && !isLongerThan(value, text) && !UNPAIRED.test(value) ? value : undefined;
  }
}

function integerOf(value: unknown): bigint | undefined {
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isSafeInteger(value))) return BigInt(value);
  return typeof value === 'bigint' && value <= MAX_INT64 && value >= MIN_INT64 ? value : undefined;
}

/** Which values may be used. */
export interface Freshness {
  /** Milliseconds; undefined for any age. */
  readonly maxAgeMs: number | undefined;
  /** Epoch milliseconds. */
  readonly now: number;
}

/**
 * Why a value of an answer must be taken as null, whatever it says; undefined if it need not. An unreadable time counts as too
 * old.
 */
export function nullReason({ values, statuses, times }: AnswerColumn, at: number, fresh: Freshness): NullReason | undefined {
  const status = statuses[at];
  if (status === 'NOT_FOUND') return 'not found';
  if (status === 'OUTSIDE_MAX_AGE') return 'outside max age';
  if (status === 'NULL_VALUE' || values[at] === null) return 'null';
  if (fresh.maxAgeMs === undefined) return undefined;
  const time = times?.[at];
  const age = typeof time === 'string' ? fresh.now - Date.parse(time) : Number.NaN;
  return age <= fresh.maxAgeMs ? undefined : 'too old';
}

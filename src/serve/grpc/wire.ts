import { ServeFailure } from '../failure.ts';

// The part of Protocol Buffers' wire format that requests need: https://protobuf.dev/programming-guides/encoding. The package's
// own reader creates an object per element before anything can count them: 8 MiB of empty tensors, two bytes each, become
// gigabytes. Here elements go straight into the array that is scored, whose length is known beforehand.

/** How a field's value is encoded. Groups, 3 and 4, predate proto3. */
export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

/** A position in a message. `low` and `high` are the halves of the last varint, unsigned. */
export interface Cursor {
  readonly bytes: Buffer;
  at: number;
  low: number;
  high: number;
}

const HIGH = 2 ** 32;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function malformed(what: string): ServeFailure {
  return new ServeFailure('invalid', `the message is malformed: ${what}`);
}

function cursorOf(bytes: Buffer): Cursor {
  return { bytes, at: 0, low: 0, high: 0 };
}

/**
 * Iterates over the fields of a message.
 *
 * @param take reads the value of a field and returns true, or leaves the cursor where it is and returns false for an unknown
 * field
 * @throws ServeFailure `invalid` if the message ends early or a field has a type that proto3 does not have
 */
export function readFields(bytes: Buffer, take: (field: number, wire: number, cursor: Cursor) => boolean): void {
  const cursor = cursorOf(bytes);
  while (cursor.at < bytes.length) {
    readVarint(cursor);
    const field = cursor.low >>> 3;
    const wire = cursor.low & 7;
    if (field === 0 || cursor.high !== 0) throw malformed('a field has an impossible number');
    if (!take(field, wire, cursor)) skip(cursor, wire);
  }
}

/** Reads a varint into `low` and `high`. */
export function readVarint(cursor: Cursor): void {
  const { bytes } = cursor;
  let low = 0;
  let high = 0;
  for (let at = 0; at < 10; at += 1) {
    if (cursor.at >= bytes.length) throw malformed('it ends within a number');
    const byte = bytes[cursor.at++] as number;
    const bits = byte & 0x7f;
    if (at < 4) low |= bits << (7 * at);
    else if (at === 4) {
      low |= bits << 28;
      high = bits >>> 4;
    } else high |= bits << (7 * at - 32);
    if (byte < 0x80) {
      cursor.low = low >>> 0;
      cursor.high = high >>> 0;
      return;
    }
  }
  throw malformed('a number is longer than ten bytes');
}

/** The last varint as an int64, rounded beyond ±2^53. */
export function signedNumber({ low, high }: Cursor): number {
  return (high | 0) * HIGH + low;
}

/** The last varint as a uint64, rounded beyond 2^53. */
export function unsignedNumber({ low, high }: Cursor): number {
  return high * HIGH + low;
}

/** The value of a length-delimited field, a view of the message. */
export function readBytes(cursor: Cursor): Buffer {
  const end = readEnd(cursor);
  const bytes = cursor.bytes.subarray(cursor.at, end);
  cursor.at = end;
  return bytes;
}

/** Skips the value of a length-delimited field. @returns the position of its length, never 0 */
export function skipBytes(cursor: Cursor): number {
  const { at } = cursor;
  cursor.at = readEnd(cursor);
  return at;
}

/** The value of the length-delimited field whose length is at `at`; empty if `at` is 0. */
export function bytesAt(bytes: Buffer, at: number): Buffer {
  return at === 0 ? bytes.subarray(0, 0) : readBytes({ bytes, at, low: 0, high: 0 });
}

/** `bytesAt` as a string. @param what for the message if the bytes are not UTF-8 */
export function textAt(bytes: Buffer, at: number, what: string): string {
  if (at === 0) return '';
  try {
    return UTF8.decode(bytesAt(bytes, at));
  } catch {
    throw new ServeFailure('invalid', `${what} is not UTF-8`);
  }
}

/** Iterates over the elements of a packed field. */
export function readPacked(cursor: Cursor, take: (cursor: Cursor) => void): void {
  const end = readEnd(cursor);
  while (cursor.at < end) take(cursor);
  if (cursor.at > end) throw malformed('a packed field ends within a number');
}

/** Skips the length of a length-delimited field. @returns where its value ends */
function readEnd(cursor: Cursor): number {
  readVarint(cursor);
  const end = cursor.at + unsignedNumber(cursor);
  if (end > cursor.bytes.length) throw malformed('a field is longer than what is left');
  return end;
}

/** Skips `size` bytes. @returns where they began */
export function advance(cursor: Cursor, size: number): number {
  const from = cursor.at;
  if (from + size > cursor.bytes.length) throw malformed('it ends within a number');
  cursor.at = from + size;
  return from;
}

function skip(cursor: Cursor, wire: number): void {
  if (wire === VARINT) readVarint(cursor);
  else if (wire === BYTES) skipBytes(cursor);
  else if (wire === FIXED64 || wire === FIXED32) advance(cursor, wire === FIXED64 ? 8 : 4);
  else throw malformed('a field has a type that proto3 does not have');
}

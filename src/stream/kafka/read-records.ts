import type { LogRecord } from '../log.ts';
import { decompress, InflatedError } from './codec.ts';
import { crc32c } from './crc32c.ts';

// RecordBatch of magic 2: https://kafka.apache.org/documentation/#recordbatch
const HEADER = 61;
const LENGTH_AT = 8;
const MAGIC_AT = 16;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const LAST_DELTA_AT = 23;
const FIRST_TIMESTAMP_AT = 27;
const MAX_TIMESTAMP_AT = 35;
const PRODUCER_AT = 43;
const COUNT_AT = 57;
const CODEC = 0x07;
const LOG_APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
const ABORT = 0;
/** Once a fetch has this many uncompressed bytes, no further batch of it is opened. */
const ENOUGH_BYTES = 8 << 20;
/** Most bytes of one uncompressed batch. Kafka's own limit, 1 MB by default, is on compressed bytes. */
const MOST_BYTES = 64 << 20;

/** An aborted transaction, as the broker lists it beside the records. */
export interface Aborted {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

interface ReadRecords {
  readonly records: readonly LogRecord[];
  /** The offset after the last whole batch, markers and aborted records included; `from` if there was none. */
  readonly next: number;
  /** Memory of the records. */
  readonly bytes: number;
}

/** Bytes of the log that cannot be read: corrupt, or in an unsupported format. */
export class UnreadableRecordsError extends Error {
  override readonly name = 'UnreadableRecordsError';
}

/**
 * The committed records of a fetch. Aborted ones are recognized batch by batch, as Kafka's Java consumer does: kafkajs checks
 * each record against one aborted transaction, in the order in which they ended, and so delivers aborted records when
 * transactions overlap.
 *
 * Stops at `next` if much is compressed: a fetch of a megabyte may hold a gigabyte.
 *
 * @param from offset that was asked for: the first batch may begin before it
 * @throws UnreadableRecordsError
 */
export function readRecords(bytes: Buffer, from: number, aborted: readonly Aborted[]): ReadRecords {
  const begins = [...aborted].sort((a, b) => b.firstOffset - a.firstOffset);
  const abortedNow = new Set<bigint>();
  const records: LogRecord[] = [];
  let next = from;
  let inflated = 0;
  for (let at = 0; at + LENGTH_AT + 4 <= bytes.length && inflated < ENOUGH_BYTES; ) {
    const end = at + LENGTH_AT + 4 + bytes.readInt32BE(at + LENGTH_AT);
    // The last batch may be cut off.
    if (end > bytes.length) break;
    const batch = bytes.subarray(at, end);
    at = end;
    check(batch);
    const base = toNumber(batch.readBigInt64BE(0));
    const last = base + batch.readInt32BE(LAST_DELTA_AT);
    const attributes = batch.readInt16BE(ATTRIBUTES_AT);
    const producer = batch.readBigInt64BE(PRODUCER_AT);
    for (let begin = begins.at(-1); begin !== undefined && begin.firstOffset <= last; begin = begins.at(-1)) {
      abortedNow.add(begin.producerId);
      begins.pop();
    }
    if (last >= next) {
      if (attributes & CONTROL) {
        if (isAbort(batch)) abortedNow.delete(producer);
      } else if (!(attributes & TRANSACTIONAL && abortedNow.has(producer))) {
        inflated += readBatch(batch, base, from, attributes, records);
      }
      next = last + 1;
    }
  }
  return { records, next, bytes: inflated };
}

function check(batch: Buffer): void {
  const magic = batch.length > MAGIC_AT ? batch[MAGIC_AT] : undefined;
  if (magic !== 2) throw new UnreadableRecordsError(`their message format is ${magic}, from before Kafka 0.11`);
  if (batch.length < HEADER) throw new UnreadableRecordsError('a batch is shorter than its header');
  if (crc32c(batch.subarray(ATTRIBUTES_AT)) !== batch.readUInt32BE(CRC_AT)) {
    throw new UnreadableRecordsError('their checksum is wrong');
  }
}

/** The key of a marker is its version and type; markers are never compressed. Compaction leaves empty batches. */
function isAbort(batch: Buffer): boolean {
  if (batch.readInt32BE(COUNT_AT) < 1) return false;
  const cursor: Cursor = { bytes: batch, at: HEADER };
  readVarint(cursor);
  cursor.at++;
  readVarint(cursor);
  readVarint(cursor);
  readVarint(cursor);
  return batch.readInt16BE(cursor.at + 2) === ABORT;
}

function readBatch(batch: Buffer, base: number, from: number, attributes: number, into: LogRecord[]): number {
  const first = Number(batch.readBigInt64BE(FIRST_TIMESTAMP_AT));
  const appended = attributes & LOG_APPEND_TIME ? Number(batch.readBigInt64BE(MAX_TIMESTAMP_AT)) : undefined;
  const count = batch.readInt32BE(COUNT_AT);
  const opened = open(batch.subarray(HEADER), attributes & CODEC);
  const cursor: Cursor = { bytes: opened, at: 0 };
  try {
    for (let i = 0; i < count; i++) {
      const end = readVarint(cursor) + cursor.at;
      cursor.at++;
      const delta = readVarint(cursor);
      const offset = base + readVarint(cursor);
      const key = readBytes(cursor);
      const value = readBytes(cursor);
      cursor.at = end;
      if (offset >= from) into.push({ offset, timestamp: appended ?? first + delta, key, value });
    }
  } catch (error) {
    throw new UnreadableRecordsError('a record ends beyond its batch', { cause: error });
  }
  return opened.length;
}

function open(records: Buffer, codec: number): Buffer {
  if (codec === 0) return records;
  try {
    return decompress(codec, records, MOST_BYTES);
  } catch (error) {
    if (error instanceof Error && error.name === 'ScoreBatchError') throw error;
    if (error instanceof InflatedError) {
      throw new UnreadableRecordsError(`a batch of ${records.length} bytes decompresses to more than ${MOST_BYTES >> 20} MiB`, {
        cause: error,
      });
    }
    throw new UnreadableRecordsError(`they cannot be decompressed: ${error instanceof Error ? error.message : error}`);
  }
}

interface Cursor {
  readonly bytes: Buffer;
  at: number;
}

function readBytes(cursor: Cursor): Buffer | null {
  const length = readVarint(cursor);
  if (length < 0) return null;
  const { at } = cursor;
  cursor.at += length;
  if (cursor.at > cursor.bytes.length) throw new RangeError('out of bytes');
  return cursor.bytes.subarray(at, cursor.at);
}

/** Zigzag varint of up to 64 bits; exact up to 2^53. */
function readVarint(cursor: Cursor): number {
  const { bytes } = cursor;
  let byte = bytes[cursor.at++];
  if (byte === undefined) throw new RangeError('out of bytes');
  let value = byte & 0x7f;
  for (let scale = 128; byte & 0x80; scale *= 128) {
    byte = bytes[cursor.at++];
    if (byte === undefined || scale > 2 ** 63) throw new RangeError('out of bytes');
    value += (byte & 0x7f) * scale;
  }
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/** @throws UnreadableRecordsError beyond 2^53 */
export function toNumber(offset: bigint): number {
  const number = Number(offset);
  if (!Number.isSafeInteger(number)) throw new UnreadableRecordsError(`the offset ${offset} is beyond 2^53`);
  return number;
}

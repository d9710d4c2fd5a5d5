import { type Compression, compress, compressionCode } from './codec.ts';
import { crc32c } from './crc32c.ts';

const HEADER = 61;
const TRANSACTIONAL = 0x10;
/** Most bytes of a record's varints: length, timestamp, offset, key, value and headers. */
const RECORD_OVERHEAD = 36;

/** A record for a partition, as bytes. */
export interface RecordBytes {
  readonly key: Buffer | null;
  readonly value: Buffer;
  readonly headers: readonly (readonly [name: Buffer, value: Buffer])[];
}

/** The writer of a batch, and the number of its first record among all that it wrote to the partition. */
export interface BatchProducer {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly sequence: number;
}

export function sizeOf({ key, value, headers }: RecordBytes): number {
  let size = RECORD_OVERHEAD + (key?.length ?? 0) + value.length;
  for (const [name, text] of headers) size += name.length + text.length + 10;
  return size;
}

/** One batch of a transaction: https://kafka.apache.org/documentation/#recordbatch. */
export function writeBatch(
  records: readonly RecordBytes[],
  producer: BatchProducer,
  timestamp: number,
  compression: Compression,
): Buffer {
  const written = writeAll(records);
  const body = compression === 'none' ? written : compress(compression, written);
  const batch = Buffer.allocUnsafe(HEADER + body.length);
  batch.writeBigInt64BE(0n, 0);
  batch.writeInt32BE(HEADER + body.length - 12, 8);
  batch.writeInt32BE(-1, 12);
  batch.writeInt8(2, 16);
  batch.writeInt16BE(compressionCode(compression) | TRANSACTIONAL, 21);
  batch.writeInt32BE(records.length - 1, 23);
  batch.writeBigInt64BE(BigInt(timestamp), 27);
  batch.writeBigInt64BE(BigInt(timestamp), 35);
  batch.writeBigInt64BE(producer.producerId, 43);
  batch.writeInt16BE(producer.producerEpoch, 51);
  batch.writeInt32BE(producer.sequence, 53);
  batch.writeInt32BE(records.length, 57);
  body.copy(batch, HEADER);
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  return batch;
}

function writeAll(records: readonly RecordBytes[]): Buffer {
  let size = 0;
  for (const record of records) size += sizeOf(record);
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  records.forEach((record, i) => {
    at = writeVarint(bytes, at, lengthOf(record, i));
    bytes[at++] = 0;
    at = writeVarint(bytes, at, 0);
    at = writeVarint(bytes, at, i);
    at = writeBytes(bytes, at, record.key);
    at = writeBytes(bytes, at, record.value);
    at = writeVarint(bytes, at, record.headers.length);
    for (const [name, value] of record.headers) at = writeBytes(bytes, writeBytes(bytes, at, name), value);
  });
  return bytes.subarray(0, at);
}

function lengthOf({ key, value, headers }: RecordBytes, index: number): number {
  let length = 2 + varintSize(index) + bytesSize(key) + bytesSize(value) + varintSize(headers.length);
  for (const [name, text] of headers) length += bytesSize(name) + bytesSize(text);
  return length;
}

function bytesSize(bytes: Buffer | null): number {
  return bytes === null ? 1 : varintSize(bytes.length) + bytes.length;
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value * 2; rest >= 128; rest = Math.floor(rest / 128)) size++;
  return size;
}

function writeBytes(into: Buffer, at: number, bytes: Buffer | null): number {
  if (bytes === null) return writeVarint(into, at, -1);
  const begin = writeVarint(into, at, bytes.length);
  into.set(bytes, begin);
  return begin + bytes.length;
}

/** Zigzag varint of 32 bits. */
function writeVarint(into: Buffer, start: number, value: number): number {
  let at = start;
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  for (; rest >= 128; rest >>>= 7) into[at++] = (rest & 0x7f) | 0x80;
  into[at++] = rest;
  return at;
}

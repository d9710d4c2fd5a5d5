import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Compression } from '../../../src/stream/kafka/codec.ts';
import { crc32c } from '../../../src/stream/kafka/crc32c.ts';
import { readRecords, UnreadableRecordsError } from '../../../src/stream/kafka/read-records.ts';
import { type RecordBytes, writeBatch } from '../../../src/stream/kafka/write-records.ts';

const PRODUCER = { producerId: 7n, producerEpoch: 1, sequence: 3 };
const ATTRIBUTES_AT = 21;

/** As the log has it: with the offset that the broker gives. */
function batchAt(offset: number, records: readonly RecordBytes[], compression: Compression = 'none'): Buffer {
  const batch = writeBatch(records, PRODUCER, 1_700_000_000_000, compression);
  batch.writeBigInt64BE(BigInt(offset), 0);
  return batch;
}

function change(batch: Buffer, edit: (batch: Buffer) => void): Buffer {
  const copy = Buffer.from(batch);
  edit(copy);
  copy.writeUInt32BE(crc32c(copy.subarray(ATTRIBUTES_AT)), 17);
  return copy;
}

const one = [{ key: Buffer.from('k'), value: Buffer.from('value'), headers: [] }];

describe('records', () => {
  it('have the checksum of RFC 3720', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
    expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
  });

  it('are read as they were written, with each codec, from any offset', () => {
    const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
    const record = fc.record({
      key: fc.option(bytes),
      value: bytes,
      headers: fc.array(fc.tuple(bytes, bytes), { maxLength: 2 }),
    });
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 200 }),
        fc.constantFrom<Compression>('none', 'gzip', 'snappy', 'lz4'),
        fc.nat(2 ** 40),
        fc.nat(250),
        (records, compression, base, skipped) => {
          const read = readRecords(batchAt(base, records, compression), base + skipped, []);
          const expected = records.slice(skipped).map(({ key, value }, i) => ({
            offset: base + skipped + i,
            timestamp: 1_700_000_000_000,
            key,
            value,
          }));
          expect(read.records).toEqual(expected);
          expect(read.next).toBe(base + Math.max(skipped, records.length));
        },
      ),
    );
  });

  it('are read up to the batch that a fetch cut off', () => {
    const bytes = Buffer.concat([batchAt(0, one), batchAt(1, one)]);
    expect(readRecords(bytes.subarray(0, -1), 0, [])).toMatchObject({ next: 1, records: [{ offset: 0 }] });
    expect(readRecords(bytes.subarray(0, 5), 0, [])).toEqual({ next: 0, records: [], bytes: 0 });
  });

  it('have the time of the log where the topic says so', () => {
    const bytes = change(batchAt(5, [...one, ...one]), (batch) => {
      batch.writeInt16BE(batch.readInt16BE(ATTRIBUTES_AT) | 8, ATTRIBUTES_AT);
      batch.writeBigInt64BE(1_800_000_000_000n, 35);
    });
    const found = readRecords(bytes, 0, []).records.map(({ offset, timestamp, value }) => [offset, timestamp, String(value)]);
    expect(found).toEqual([
      [5, 1_800_000_000_000, 'value'],
      [6, 1_800_000_000_000, 'value'],
    ]);
  });

  it('may be none, in a batch of markers whose marker was compacted away', () => {
    const empty = change(batchAt(3, one).subarray(0, 61), (batch) => {
      batch.writeInt32BE(61 - 12, 8);
      batch.writeInt16BE(0x30, ATTRIBUTES_AT);
      batch.writeInt32BE(0, 57);
    });
    expect(readRecords(Buffer.concat([empty, batchAt(4, one)]), 0, [])).toMatchObject({ next: 5, records: [{ offset: 4 }] });
  });

  it.each([
    ['of a Kafka before 0.11', change(batchAt(0, one), (batch) => batch.writeInt8(1, 16)), 'their message format is 1'],
    [
      'with a flipped bit',
      Buffer.from(batchAt(0, one).map((byte, i) => (i === 70 ? byte ^ 4 : byte))),
      'their checksum is wrong',
    ],
    [
      'with a codec that does not exist',
      change(batchAt(0, one), (batch) => batch.writeInt16BE(5, 21)),
      'the codec 5 is unsupported',
    ],
    ['that are no gzip', change(batchAt(0, one), (batch) => batch.writeInt16BE(1, 21)), 'they cannot be decompressed'],
    ['that are no snappy', change(batchAt(0, one), (batch) => batch.writeInt16BE(2, 21)), 'they cannot be decompressed'],
    ['that are no lz4', change(batchAt(0, one), (batch) => batch.writeInt16BE(3, 21)), 'they cannot be decompressed'],
    ['that are no zstd', change(batchAt(0, one), (batch) => batch.writeInt16BE(4, 21)), 'they cannot be decompressed'],
    [
      'that are fewer than they say',
      change(batchAt(0, one), (batch) => batch.writeInt32BE(9, 57)),
      'a record ends beyond its batch',
    ],
    ['beyond 2^53', change(batchAt(0, one), (batch) => batch.writeBigInt64BE(2n ** 60n, 0)), 'beyond 2^53'],
  ])('are refused %s', (_, bytes, message) => {
    const read = () => readRecords(bytes, 0, []);
    expect(read).toThrow(UnreadableRecordsError);
    expect(read).toThrow(message);
  });

  it('never make it crash or hang, whatever the bytes', () => {
    const batch = batchAt(0, [...one, ...one], 'snappy');
    fc.assert(
      fc.property(fc.nat(batch.length - 1), fc.nat(255), (at, byte) => {
        const bytes = change(batch, (copy) => {
          copy[at] = byte;
        });
        try {
          readRecords(bytes, 0, []);
        } catch (error) {
          expect(error).toBeInstanceOf(UnreadableRecordsError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

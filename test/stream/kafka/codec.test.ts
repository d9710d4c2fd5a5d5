import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { compressFrameSync, compressSync as lz4Block } from 'lz4-napi';
import { compressSync } from 'snappy';
import { describe, expect, it } from 'vitest';
import { compress, decompress, InflatedError } from '../../../src/stream/kafka/codec.ts';
import { lz4Size, zstdFrames } from '../../../src/stream/kafka/inflated-size.ts';

const MOST = 1 << 20;
const GZIP = 1;
const SNAPPY = 2;
const LZ4 = 3;
const ZSTD = 4;

/** A frame of zstd without content, which decoders pass over. */
const SKIPPED = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);

/** A frame of zstd with blocks of one byte that is repeated: 4 bytes for 128 KiB each. */
function zeros(blocks: number, { window, says }: { window: number; says?: number }): Buffer {
  const frame = [0x28, 0xb5, 0x2f, 0xfd];
  const header = Buffer.from(says === undefined ? [...frame, 0, window] : [...frame, 0x80, window, says, 0, 0, 0]);
  const block = (isLast: boolean) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUIntLE(((128 << 10) << 3) | (1 << 1) | Number(isLast), 0, 3);
    return bytes;
  };
  return Buffer.concat([header, ...Array.from({ length: blocks }, (_, i) => block(i === blocks - 1))]);
}

describe('a codec', () => {
  it.each([
    ['gzip', GZIP, gzipSync(Buffer.alloc(MOST)), gzipSync(Buffer.alloc(MOST + 1))],
    ['snappy', SNAPPY, compressSync(Buffer.alloc(MOST)), compressSync(Buffer.alloc(MOST + 1))],
    ['snappy in blocks', SNAPPY, compress('snappy', Buffer.alloc(MOST)), compress('snappy', Buffer.alloc(MOST + 1))],
    ['lz4', LZ4, compressFrameSync(Buffer.alloc(MOST)), compressFrameSync(Buffer.alloc(MOST + 1))],
    ['zstd', ZSTD, zeros(8, { window: 0x38 }), zeros(9, { window: 0x38 })],
  ])('writes as much as it may, and no more: %s', (_, code, most, more) => {
    expect(decompress(code, most, MOST).equals(Buffer.alloc(MOST))).toBe(true);
    expect(() => decompress(code, more, MOST)).toThrow(InflatedError);
  });

  it('does not take the memory that a frame of zstd only asks for', () => {
    expect(zstdFrames(zeros(1, { window: 0xa8 })).asked).toBe(2 ** 31);
  });

  it.each([
    ['after a frame that is passed over', Buffer.concat([SKIPPED, zeros(9, { window: 0x38 })])],
    [
      'in a second frame after one that is passed over',
      Buffer.concat([zeros(4, { window: 0x38 }), SKIPPED, zeros(5, { window: 0x38 })]),
    ],
  ])('writes no more of zstd than it may: %s', (_, records) => {
    expect(() => decompress(ZSTD, records, MOST)).toThrow(InflatedError);
  });

  it('opens frames of zstd around one that is passed over', () => {
    const records = Buffer.concat([SKIPPED, zeros(4, { window: 0x38 }), SKIPPED, zeros(4, { window: 0x38 }), SKIPPED]);
    expect(decompress(ZSTD, records, MOST).equals(Buffer.alloc(MOST))).toBe(true);
  });

  it('does not take the memory that a frame of zstd asks for that is cut off, or follows one that is passed over', () => {
    const single = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0x40]);
    for (const records of [single, Buffer.concat([SKIPPED, single])]) {
      expect(() => decompress(ZSTD, records, MOST)).toThrow(InflatedError);
    }
  });

  it.each([
    ['text', Buffer.from('hello world')],
    ['a frame without its end', zeros(4, { window: 0x38 }).subarray(0, -1)],
    ['more after a frame', Buffer.concat([zeros(1, { window: 0x38 }), Buffer.from('hello world')])],
    ['a frame that says it holds less', zeros(9, { window: 0x38, says: 1 })],
  ])('says of zstd that it is damaged: %s', (_, records) => {
    expect(() => decompress(ZSTD, records, MOST)).toThrow();
  });

  it('refuses a frame of lz4 of the kind before, whose size is not known', () => {
    const block = lz4Block(Buffer.alloc(8 << 20)).subarray(4);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(block.length);
    const records = Buffer.concat([Buffer.from([0x02, 0x21, 0x4c, 0x18]), length, block]);
    expect(() => decompress(LZ4, records, MOST)).toThrow('they are not an lz4 frame');
  });

  it('knows the size of frames of lz4 exactly, whatever is in them', () => {
    for (const size of [1, 100, 70_000, 5_000_000]) {
      const mixed = Buffer.alloc(size);
      for (let at = 0; at < size; at += 3_000) randomBytes(Math.min(500, size - at)).copy(mixed, at);
      for (const bytes of [mixed, randomBytes(size)]) expect(lz4Size(compressFrameSync(bytes), 0)).toBe(size);
    }
  });
});

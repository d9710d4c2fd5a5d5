import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { compressFrameSync } from 'lz4-napi';
import { compressSync } from 'snappy';
import { describe, expect, it } from 'vitest';
import { compress, decompress, InflatedError } from '../../../src/stream/kafka/codec.ts';
import { lz4Size, zstdSize } from '../../../src/stream/kafka/inflated-size.ts';

const MOST = 1 << 20;
const GZIP = 1;
const SNAPPY = 2;
const LZ4 = 3;
const ZSTD = 4;

/** A frame of zstd with blocks of one byte that is repeated: 4 bytes for 128 KiB each. */
function zeros(blocks: number, options: { window: number }): Buffer {
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, options.window]);
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
    expect(zstdSize(zeros(1, { window: 0xa8 }))).toBe(2 ** 31);
  });

  it('knows the size of frames of lz4 exactly, whatever is in them', () => {
    for (const size of [1, 100, 70_000, 5_000_000]) {
      const mixed = Buffer.alloc(size);
      for (let at = 0; at < size; at += 3_000) randomBytes(Math.min(500, size - at)).copy(mixed, at);
      for (const bytes of [mixed, randomBytes(size)]) expect(lz4Size(compressFrameSync(bytes), 0)).toBe(size);
    }
  });
});

// How many bytes a codec will write, or allocate, computed without decompressing: a batch of a megabyte may hold a gigabyte.
// Corrupt data is counted up to the damage; the codec reports it.

const LZ4_MAGIC = 0x184d2204;
const LZ4_UNCOMPRESSED = 0x80000000;
/** Most bytes that one byte of an lz4 block can expand to. */
const LZ4_RATIO = 255;
const ZSTD_MAGIC = 0xfd2fb528;
/** Skippable frames have 16 magic numbers, which differ in the last hex digit. */
const ZSTD_SKIPPED = 0x184d2a5;
const RLE = 1;

/** Size of a block's output, which the block begins with. */
export function snappySize(block: Buffer): number {
  let size = 0;
  for (let at = 0, scale = 1; at < 5; at++, scale *= 128) {
    const byte = block[at] ?? 0;
    size += (byte & 0x7f) * scale;
    if (byte < 128) break;
  }
  return size;
}

/** Exact if above `enough`; otherwise an upper bound. */
export function lz4Size(frames: Buffer, enough: number): number {
  const most = eachLz4Block(frames, (block, limit) => Math.min(limit, block.length * LZ4_RATIO));
  return most <= enough ? most : eachLz4Block(frames, lz4BlockSize);
}

/** @throws RangeError unless it begins with a frame of Kafka's kind: codecs open older kinds, too, whose blocks are larger */
function eachLz4Block(frames: Buffer, sizeOf: (block: Buffer, most: number) => number): number {
  if (frames.length < 7 || frames.readUInt32LE(0) !== LZ4_MAGIC) throw new RangeError('they are not an lz4 frame');
  let size = 0;
  for (let at = 0; at + 7 <= frames.length && frames.readUInt32LE(at) === LZ4_MAGIC; ) {
    const flags = frames[at + 4] as number;
    const most = 1 << (8 + 2 * (((frames[at + 5] as number) >> 4) & 7));
    at += 7 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0);
    while (at + 4 <= frames.length) {
      const header = frames.readUInt32LE(at);
      const length = header % LZ4_UNCOMPRESSED;
      at += 4;
      if (header === 0) break;
      size += header >= LZ4_UNCOMPRESSED ? length : sizeOf(frames.subarray(at, at + length), most);
      at += length + (flags & 0x10 ? 4 : 0);
    }
    at += flags & 0x04 ? 4 : 0;
  }
  return size;
}

function lz4BlockSize(block: Buffer): number {
  let size = 0;
  let at = 0;
  const more = (first: number): number => {
    let length = first;
    for (let byte = 255; first === 15 && byte === 255; length += byte) byte = block[at++] ?? 0;
    return length;
  };
  while (at < block.length) {
    const token = block[at++] as number;
    const literals = more(token >> 4);
    size += literals;
    at += literals;
    if (at >= block.length) break;
    at += 2;
    size += 4 + more(token & 15);
  }
  return size;
}

/**
 * @returns the frames without skippable ones, at which Node's decoder would stop; and the memory that they ask for before anything
 *   is written: the size of the content that each declares, or its window
 */
export function zstdFrames(bytes: Buffer): { readonly frames: Buffer; readonly asked: number } {
  const frames: Buffer[] = [];
  let asked = 0;
  let at = 0;
  while (at + 6 <= bytes.length) {
    const begin = at;
    const magic = bytes.readUInt32LE(at);
    if (magic >>> 4 === ZSTD_SKIPPED) {
      at += 8 + (at + 8 <= bytes.length ? bytes.readUInt32LE(at + 4) : 0);
      continue;
    }
    if (magic !== ZSTD_MAGIC) break;
    const flags = bytes[at + 4] as number;
    const isSingle = (flags & 0x20) !== 0;
    const exponent = flags >> 6;
    const contentBytes = exponent > 0 ? 1 << exponent : Number(isSingle);
    const window = isSingle ? 0 : zstdWindow(bytes[at + 5] as number);
    at += 5 + Number(!isSingle) + ([0, 1, 2, 4][flags & 3] as number);
    asked += Math.max(contentSize(bytes, at, contentBytes), window);
    at += contentBytes;
    for (let isLast = false; !isLast && at + 3 <= bytes.length; ) {
      const header = bytes.readUIntLE(at, 3);
      isLast = (header & 1) === 1;
      at += 3 + (((header >> 1) & 3) === RLE ? 1 : header >> 3);
    }
    at += flags & 0x04 ? 4 : 0;
    frames.push(bytes.subarray(begin, at));
  }
  if (at < bytes.length) frames.push(bytes.subarray(at));
  return { frames: frames.length === 1 ? (frames[0] as Buffer) : Buffer.concat(frames), asked };
}

function zstdWindow(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

/** Bytes that are cut off count as zeros, as the codec reads them. */
function contentSize(frame: Buffer, at: number, bytes: number): number {
  const size = Buffer.alloc(8);
  frame.copy(size, 0, at, at + bytes);
  return Number(size.readBigUInt64LE()) + (bytes === 2 ? 256 : 0);
}

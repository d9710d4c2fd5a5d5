import * as zlib from 'node:zlib';
import { Decompress as Unzstd } from 'fzstd';
import { systemCode } from '../../errors.ts';
import { lz4Size, snappySize, zstdFrames } from './inflated-size.ts';
import { loadLz4, loadSnappy } from './packages.ts';

/** Codecs for writing. Reading accepts all of Kafka's codecs, zstd included. */
export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4';

const CODES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

/** Node has zstd from 22.15 on. */
const nativeUnzstd = (zlib as { readonly zstdDecompressSync?: (bytes: Buffer, options: { maxOutputLength: number }) => Buffer })
  .zstdDecompressSync;

/** Magic of the format of Java's snappy: blocks, each preceded by its length. */
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER = 16;

/** Decompressed records would exceed the memory limit of a batch. */
export class InflatedError extends Error {
  override readonly name = 'InflatedError';

  constructor(most: number) {
    super(`they take more than ${most} bytes when decompressed`);
  }
}

export function compressionCode(compression: Compression): number {
  return CODES.indexOf(compression);
}

export function compress(compression: Exclude<Compression, 'none'>, records: Buffer): Buffer {
  switch (compression) {
    case 'gzip':
      return zlib.gzipSync(records, { level: 1 });
    case 'snappy':
      return xerial(loadSnappy().compressSync(records));
    case 'lz4':
      return loadLz4().compressFrameSync(records);
  }
}

/**
 * @param code codec in a batch's attributes, 1 to 7
 * @param most bytes of output
 * @throws InflatedError if the output would be larger
 * @throws Error if the records are corrupt or the codec is unknown
 */
export function decompress(code: number, records: Buffer, most: number): Buffer {
  switch (CODES[code]) {
    case 'gzip':
      return gunzip(records, most);
    case 'snappy':
      return unsnap(records, most);
    case 'lz4':
      checkSize(lz4Size(records, most), most);
      return loadLz4().decompressFrameSync(records);
    case 'zstd':
      return unzstd(records, most);
    default:
      throw new Error(`the codec ${code} is unsupported`);
  }
}

function checkSize(size: number, most: number): void {
  if (size > most) throw new InflatedError(most);
}

function gunzip(records: Buffer, most: number): Buffer {
  return limited(most, (maxOutputLength) => zlib.gunzipSync(records, { maxOutputLength }));
}

function unzstd(records: Buffer, most: number): Buffer {
  const { frames, asked } = zstdFrames(records);
  checkSize(asked, most);
  if (nativeUnzstd !== undefined) return limited(most, (maxOutputLength) => nativeUnzstd(frames, { maxOutputLength }));
  // By blocks, which have no more than 2 MiB: a frame may hold more than it says.
  const blocks: Uint8Array[] = [];
  let size = 0;
  const stream = new Unzstd((block) => {
    size += block.length;
    checkSize(size, most);
    blocks.push(block);
  });
  stream.push(frames, true);
  return Buffer.concat(blocks, size);
}

function limited(most: number, write: (maxOutputLength: number) => Buffer): Buffer {
  try {
    return write(most);
  } catch (error) {
    throw systemCode(error) === 'ERR_BUFFER_TOO_LARGE' ? new InflatedError(most) : error;
  }
}

/** Adds the header without which Kafka's Java clients do not read blocks. */
function xerial(block: Buffer): Buffer {
  const header = Buffer.alloc(XERIAL_HEADER + 4);
  XERIAL.copy(header);
  header.writeInt32BE(1, 8);
  header.writeInt32BE(1, 12);
  header.writeInt32BE(block.length, XERIAL_HEADER);
  return Buffer.concat([header, block]);
}

/** Clients other than Java's write a single block without a header. */
function unsnap(records: Buffer, most: number): Buffer {
  const { uncompressSync } = loadSnappy();
  if (!records.subarray(0, XERIAL.length).equals(XERIAL)) {
    checkSize(snappySize(records), most);
    return uncompressSync(records) as Buffer;
  }
  let size = 0;
  const blocks: Buffer[] = [];
  for (let at = XERIAL_HEADER; at < records.length; ) {
    const end = at + 4 + records.readInt32BE(at);
    if (end > records.length || end < at) throw new RangeError('a snappy block ends beyond its records');
    size += snappySize(records.subarray(at + 4, end));
    checkSize(size, most);
    blocks.push(uncompressSync(records.subarray(at + 4, end)) as Buffer);
    at = end;
  }
  return Buffer.concat(blocks);
}

import * as zlib from 'node:zlib';
import { decompress as unzstd } from 'fzstd';
import { systemCode } from '../../errors.ts';
import { lz4Size, snappySize, zstdSize } from './inflated-size.ts';
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
    super(`they take more than ${most} bytes without compression`);
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
      checkSize(zstdSize(records), most);
      return nativeUnzstd?.(records, { maxOutputLength: most }) ?? bufferOf(unzstd(records));
    default:
      throw new Error(`the codec ${code} is unsupported`);
  }
}

function checkSize(size: number, most: number): void {
  if (size > most) throw new InflatedError(most);
}

function gunzip(records: Buffer, most: number): Buffer {
  try {
    return zlib.gunzipSync(records, { maxOutputLength: most });
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
    if (end > records.length || end < at) throw new RangeError('a block of snappy ends beyond its records');
    size += snappySize(records.subarray(at + 4, end));
    checkSize(size, most);
    blocks.push(uncompressSync(records.subarray(at + 4, end)) as Buffer);
    at = end;
  }
  return Buffer.concat(blocks);
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

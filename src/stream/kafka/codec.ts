import * as zlib from 'node:zlib';
import { decompress as unzstd } from 'fzstd';
import { loadLz4, loadSnappy } from './packages.ts';

/** How records are written. All of Kafka's codecs are read, zstd too. */
export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4';

const CODES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

/** Node has its own from 22.15 on. */
const nativeUnzstd = (zlib as { readonly zstdDecompressSync?: (bytes: Buffer) => Buffer }).zstdDecompressSync;

/** What Java's snappy writes: blocks, each with its length before it. */
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER = 16;

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

/** @param code 1 to 7 of a batch's attributes; @throws Error if they are not what the codec wrote, or there is no such codec */
export function decompress(code: number, records: Buffer): Buffer {
  switch (CODES[code]) {
    case 'gzip':
      return zlib.gunzipSync(records);
    case 'snappy':
      return unsnap(records);
    case 'lz4':
      return loadLz4().decompressFrameSync(records);
    case 'zstd':
      return nativeUnzstd?.(records) ?? bufferOf(unzstd(records));
    default:
      throw new Error(`the codec ${code} is unsupported`);
  }
}

/** Kafka's Java clients read blocks with a header only. */
function xerial(block: Buffer): Buffer {
  const header = Buffer.alloc(XERIAL_HEADER + 4);
  XERIAL.copy(header);
  header.writeInt32BE(1, 8);
  header.writeInt32BE(1, 12);
  header.writeInt32BE(block.length, XERIAL_HEADER);
  return Buffer.concat([header, block]);
}

/** Clients other than Java's write one block without a header. */
function unsnap(records: Buffer): Buffer {
  const { uncompressSync } = loadSnappy();
  if (!records.subarray(0, XERIAL.length).equals(XERIAL)) return uncompressSync(records) as Buffer;
  const blocks: Buffer[] = [];
  for (let at = XERIAL_HEADER; at < records.length; ) {
    const end = at + 4 + records.readInt32BE(at);
    if (end > records.length || end < at) throw new RangeError('a block of snappy ends beyond its records');
    blocks.push(uncompressSync(records.subarray(at + 4, end)) as Buffer);
    at = end;
  }
  return Buffer.concat(blocks);
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

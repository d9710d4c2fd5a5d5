/** Bytes per step, each with its own part of the table, as in Intel's "slicing by 8". */
const STEP = 8;

/** CRC-32C (Castagnoli), reflected, as in RFC 3720: Kafka's checksum of a record batch. Node only has CRC-32. */
const TABLE = new Int32Array(STEP * 256);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  TABLE[byte] = crc;
}
for (let at = 256; at < TABLE.length; at++) {
  const before = TABLE[at - 256] as number;
  TABLE[at] = (before >>> 8) ^ (TABLE[before & 0xff] as number);
}

export function crc32c(bytes: Buffer): number {
  const steps = bytes.length - (bytes.length % STEP);
  let crc = -1;
  for (let i = 0; i < steps; i += STEP) {
    crc =
      entry(1792, crc ^ byteAt(bytes, i)) ^
      entry(1536, (crc >>> 8) ^ byteAt(bytes, i + 1)) ^
      entry(1280, (crc >>> 16) ^ byteAt(bytes, i + 2)) ^
      entry(1024, (crc >>> 24) ^ byteAt(bytes, i + 3)) ^
      entry(768, byteAt(bytes, i + 4)) ^
      entry(512, byteAt(bytes, i + 5)) ^
      entry(256, byteAt(bytes, i + 6)) ^
      entry(0, byteAt(bytes, i + 7));
  }
  for (let i = steps; i < bytes.length; i++) crc = (crc >>> 8) ^ entry(0, crc ^ byteAt(bytes, i));
  return ~crc >>> 0;
}

function entry(part: number, byte: number): number {
  return TABLE[part + (byte & 0xff)] as number;
}

function byteAt(bytes: Buffer, at: number): number {
  return bytes[at] as number;
}

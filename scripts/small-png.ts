// Reduces a screenshot to at most 256 colours, a third of the bytes if most of it is text.
import { crc32, deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
const MAX_COLOURS = 256;

interface Pixels {
  readonly width: number;
  readonly height: number;
  /** Red, green and blue of each pixel. */
  readonly rgb: Buffer;
}

/** @param png 8 bits per channel, with or without alpha, not interlaced, as Chromium writes it */
export function smallPng(png: Buffer): Buffer {
  const { width, height, rgb } = decoded(png);
  const { palette, indices } = indexed(rgb);
  const lines = Buffer.alloc(height * (width + 1));
  for (let y = 0; y < height; y++) indices.copy(lines, y * (width + 1) + 1, y * width, (y + 1) * width);
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 3, 0, 0, 0]);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  const data = deflateSync(lines, { level: 9, memLevel: 9 });
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('PLTE', palette),
    chunk('IDAT', data),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function decoded(png: Buffer): Pixels {
  const parts: Buffer[] = [];
  const width = png.readUInt32BE(16);
  const height = png.readUInt32BE(20);
  const channels = png[25] === 6 ? 4 : 3;
  for (let at = 8; at < png.length; at += png.readUInt32BE(at) + 12) {
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  const raw = inflateSync(Buffer.concat(parts));
  const stride = width * channels;
  const rgb = Buffer.alloc(width * height * 3);
  let above: Buffer = Buffer.alloc(stride);
  for (let y = 0; y < height; y++) {
    const line = unfiltered(raw.subarray(y * (stride + 1), (y + 1) * (stride + 1)), above, channels);
    for (let x = 0; x < width; x++) line.copy(rgb, (y * width + x) * 3, x * channels, x * channels + 3);
    above = line;
  }
  return { width, height, rgb };
}

/** Reverses a line's filter: PNG specification, 9.2. */
function unfiltered(line: Buffer, above: Buffer, channels: number): Buffer {
  const [filter = 0] = line;
  const bytes = Buffer.from(line.subarray(1));
  for (let i = 0; i < bytes.length; i++) {
    const a = bytes[i - channels] ?? 0;
    const b = above[i] ?? 0;
    const c = i < channels ? 0 : (above[i - channels] ?? 0);
    const predicted = [0, a, b, (a + b) >> 1, paeth(a, b, c)][filter] ?? 0;
    bytes[i] = ((bytes[i] ?? 0) + predicted) & 255;
  }
  return bytes;
}

function paeth(a: number, b: number, c: number): number {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  if (pa <= pb && pa <= pc) return a;
  return pb <= pc ? b : c;
}

/** Merges colours that differ in their last bits, as many bits as necessary; each group shows its most frequent colour. */
function indexed(rgb: Buffer): { readonly palette: Buffer; readonly indices: Buffer } {
  const times = new Map<number, number>();
  for (let i = 0; i < rgb.length; i += 3) {
    const colour = rgb.readUIntBE(i, 3);
    times.set(colour, (times.get(colour) ?? 0) + 1);
  }
  const byFrequency = [...times].sort((a, b) => b[1] - a[1]).map(([colour]) => colour);
  for (let bits = 0; ; bits++) {
    const mask = (0xff & (0xff << bits)) * 0x010101;
    const shown = new Map<number, number>();
    for (const colour of byFrequency) if (!shown.has(colour & mask)) shown.set(colour & mask, colour);
    if (shown.size > MAX_COLOURS) continue;
    const palette = Buffer.alloc(shown.size * 3);
    const places = new Map([...shown.keys()].map((key, place) => [key, place]));
    for (const [place, colour] of [...shown.values()].entries()) palette.writeUIntBE(colour, place * 3, 3);
    const indices = Buffer.alloc(rgb.length / 3);
    for (let i = 0; i < indices.length; i++) indices[i] = places.get(rgb.readUIntBE(i * 3, 3) & mask) ?? 0;
    return { palette, indices };
  }
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(data.length, 0);
  body.copy(whole, 4);
  whole.writeUInt32BE(crc32(body), body.length + 4);
  return whole;
}

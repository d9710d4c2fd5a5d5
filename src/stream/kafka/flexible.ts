import type { Encoder } from './wire.ts';

// Flexible versions of requests (KIP-482): lengths are varints plus one, and each structure ends with tagged fields, of which
// we write none.

export function writeLength(encoder: Encoder, length: number): Encoder {
  let rest = length + 1;
  for (; rest >= 128; rest >>>= 7) encoder.writeInt8(((rest & 0x7f) | 0x80) - 256);
  return encoder.writeInt8(rest);
}

export function writeText(encoder: Encoder, text: string): Encoder {
  const bytes = Buffer.from(text);
  return writeLength(encoder, bytes.length).writeBuffer(bytes);
}

export function writeTags(encoder: Encoder): Encoder {
  return encoder.writeInt8(0);
}

/** Reads an answer, starting at its header. */
export class FlexibleReader {
  readonly #raw: Buffer;
  #at = 0;

  constructor(raw: Buffer) {
    this.#raw = raw;
    this.tags();
  }

  skip(bytes: number): void {
    this.#at += bytes;
  }

  int16(): number {
    this.#at += 2;
    return this.#raw.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.#raw.readInt32BE(this.#at - 4);
  }

  int64(): bigint {
    this.#at += 8;
    return this.#raw.readBigInt64BE(this.#at - 8);
  }

  /** A view of the answer, not a copy; empty for null. */
  bytes(length = this.#length()): Buffer {
    this.#at += length;
    return this.#raw.subarray(this.#at - length, this.#at);
  }

  text(): string {
    return this.bytes().toString('utf8');
  }

  array<T>(one: () => T): T[] {
    return Array.from({ length: this.#length() }, one);
  }

  /** Skips the fields of newer versions at the end of a structure. */
  tags(): void {
    for (let count = this.#varint(); count > 0; count--) {
      this.#varint();
      this.#at += this.#varint();
    }
  }

  /** 0 for null. */
  #length(): number {
    return Math.max(0, this.#varint() - 1);
  }

  #varint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#raw[this.#at++] ?? 0;
      value |= (byte & 0x7f) << shift;
      if (byte < 128) return value;
    }
  }
}

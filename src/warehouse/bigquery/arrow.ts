import { type Data, type DataType, type Decimal, type RecordBatch, Type, tableFromIPC } from 'apache-arrow';
import type { Column } from '../../domain/schema.ts';
import type { AppendedColumn } from '../../duckdb/append-columns.ts';

/** A batch of rows, column by column. */
export interface ArrowColumns {
  readonly rows: number;
  readonly columns: readonly AppendedColumn[];
}

/** Decodes one message of the Storage API. The result consists of views that are valid until the next call. */
export type ArrowReader = (message: Uint8Array) => ArrowColumns[];

/** @param columns to decode, as DuckDB has them in memory */
export function arrowReader(schema: Uint8Array, columns: readonly Pick<Column, 'name' | 'type' | 'digits'>[]): ArrowReader {
  let room = new Uint8Array();
  return (message) => {
    // A message starts at any offset of the network buffer, so Arrow would copy each one into new memory.
    if (room.length < message.length) room = new Uint8Array(message.length);
    room.set(message);
    return tableFromIPC([schema, room.subarray(0, message.length)]).batches.map((batch) => ({
      rows: batch.numRows,
      columns: columns.map((column) => toAppended(childOf(batch, column.name), column)),
    }));
  };
}

/** The API returns columns in the table's order and spelling. */
function childOf(batch: RecordBatch, name: string): Data {
  const folded = name.toLowerCase();
  const position = batch.schema.fields.findIndex((field) => field.name.toLowerCase() === folded);
  const child = batch.data.children[position];
  if (child === undefined) throw new Error(`the answer has no column ${name}`);
  return child;
}

function toAppended(data: Data<DataType>, { name, digits }: Pick<Column, 'name' | 'digits'>): AppendedColumn {
  if (data.offset !== 0) throw new Error(`the column ${name} has an offset into its buffers`);
  const valid = data.nullCount > 0 ? data.nullBitmap : undefined;
  const fixed = (width: number, values: ArrayBufferView): AppendedColumn => ({
    kind: 'fixed',
    width,
    bytes: new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, data.length * width),
    valid,
  });
  switch (data.typeId) {
    case Type.Int:
      // BigQuery's integers have 64 bits; literals in the emulator have fewer.
      return fixed(8, data.values instanceof BigInt64Array ? data.values : BigInt64Array.from(data.values, BigInt));
    case Type.Float:
    case Type.Timestamp:
      return fixed(8, data.values);
    case Type.Date:
      return fixed(4, data.values);
    case Type.Bool:
      return fixed(1, unpackBits(data.values, data.length));
    case Type.Utf8:
      return { kind: 'text', offsets: data.valueOffsets, bytes: data.values, valid };
    case Type.Decimal: {
      const { bitWidth, scale } = data.type as Decimal;
      const [precision, wanted] = digits ?? [38, 9];
      const narrowed = narrowDecimals(data.values, data.length, bitWidth / 32, precision, wanted - scale);
      return fixed(widthOf(precision), narrowed);
    }
    default:
      throw new Error(`the column ${name} has the unexpected Arrow type ${data.type}`);
  }
}

function unpackBits(bits: Uint8Array, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i += 1) bytes[i] = ((bits[i >> 3] as number) >> (i & 7)) & 1;
  return bytes;
}

/**
 * Narrows Arrow's 128-bit or 256-bit decimals, given as 32-bit words, to DuckDB's width for the precision. The values fit,
 * so the lower words are the number in two's complement.
 *
 * @param shift digits to add after the point; a negative shift must not lose digits
 */
function narrowDecimals(
  words: Uint32Array,
  length: number,
  stride: number,
  precision: number,
  shift: number,
): Int16Array | Int32Array {
  const source = shift === 0 ? words : rescale(words, length, stride, shift);
  if (precision <= 4) return Int16Array.from({ length }, (_, i) => source[i * stride] as number);
  const width = widthOf(precision) / 4;
  const narrowed = new Int32Array(length * width);
  for (let i = 0; i < length; i += 1) {
    for (let word = 0; word < width; word += 1) narrowed[i * width + word] = source[i * stride + word] as number;
  }
  return narrowed;
}

/** Bytes of a DuckDB decimal with this precision. */
function widthOf(precision: number): number {
  if (precision <= 4) return 2;
  if (precision <= 9) return 4;
  return precision <= 18 ? 8 : 16;
}

/**
 * For decimals that the Storage API returns in another scale than the query's. One number at a time, because this is rare.
 */
function rescale(words: Uint32Array, length: number, stride: number, shift: number): Uint32Array {
  const scaled = new Uint32Array(length * stride);
  const factor = 10n ** BigInt(Math.abs(shift));
  const bits = stride * 32;
  for (let i = 0; i < length; i += 1) {
    let value = 0n;
    for (let word = stride - 1; word >= 0; word -= 1) value = (value << 32n) | BigInt(words[i * stride + word] as number);
    const signed = BigInt.asIntN(bits, value);
    if (shift < 0 && signed % factor !== 0n) throw new Error('a decimal has more digits than its column');
    let result = BigInt.asUintN(bits, shift > 0 ? signed * factor : signed / factor);
    for (let word = 0; word < stride; word += 1, result >>= 32n) scaled[i * stride + word] = Number(result & 0xffff_ffffn);
  }
  return scaled;
}

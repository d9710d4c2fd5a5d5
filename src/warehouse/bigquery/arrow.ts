import { type Data, type DataType, type Decimal, type RecordBatch, Type, tableFromIPC } from 'apache-arrow';
import type { Column } from '../../domain/schema.ts';
import type { AppendedColumn } from '../../duckdb/append-columns.ts';

/** Some rows, column by column. */
export interface ArrowColumns {
  readonly rows: number;
  readonly columns: readonly AppendedColumn[];
}

/** Decodes messages of the Storage API one after the other: what comes of one are views that live until the next. */
export type ArrowReader = (message: Uint8Array) => ArrowColumns[];

/** @param columns that are wanted of the messages, as DuckDB has them in memory */
export function arrowReader(schema: Uint8Array, columns: readonly Pick<Column, 'name' | 'type' | 'digits'>[]): ArrowReader {
  let room = new Uint8Array();
  return (message) => {
    // A message begins anywhere in what came over the wire, and Arrow would copy it to new memory each time.
    if (room.length < message.length) room = new Uint8Array(message.length);
    room.set(message);
    return tableFromIPC([schema, room.subarray(0, message.length)]).batches.map((batch) => ({
      rows: batch.numRows,
      columns: columns.map((column) => toAppended(childOf(batch, column.name), column)),
    }));
  };
}

/** The API gives columns in the table's order and spells their names as the table does. */
function childOf(batch: RecordBatch, name: string): Data {
  const folded = name.toLowerCase();
  const position = batch.schema.fields.findIndex((field) => field.name.toLowerCase() === folded);
  const child = batch.data.children[position];
  if (child === undefined) throw new Error(`the column ${name} was not read`);
  return child;
}

function toAppended(data: Data<DataType>, { name, digits }: Pick<Column, 'name' | 'digits'>): AppendedColumn {
  if (data.offset !== 0) throw new Error(`the column ${name} does not begin with its buffers`);
  const valid = data.nullCount > 0 ? data.nullBitmap : undefined;
  const fixed = (width: number, values: ArrayBufferView): AppendedColumn => ({
    kind: 'fixed',
    width,
    bytes: new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, data.length * width),
    valid,
  });
  switch (data.typeId) {
    case Type.Int:
      // BigQuery's have 64 bits; the emulator's literals have fewer.
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
      throw new Error(`the column ${name} is read as ${data.type}, which is not expected`);
  }
}

function unpackBits(bits: Uint8Array, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i += 1) bytes[i] = ((bits[i >> 3] as number) >> (i & 7)) & 1;
  return bytes;
}

/**
 * Arrow's decimals of 128 or 256 bits, as words of 32, in the width that DuckDB has for as many digits. The values fit, so
 * that the lower words are the number in two's complement.
 *
 * @param shift digits to add after the point; fewer than there are never happens without loss and is refused
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

/** Bytes that DuckDB has for a decimal of as many digits. */
function widthOf(precision: number): number {
  if (precision <= 4) return 2;
  if (precision <= 9) return 4;
  return precision <= 18 ? 8 : 16;
}

/** For where the Storage API gives a decimal in another scale than the query's; a number at a time, as this is rare. */
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

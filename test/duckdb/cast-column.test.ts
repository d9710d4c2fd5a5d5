import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ReadKind } from '../../src/domain/column-batch.ts';
import type { Column } from '../../src/domain/schema.ts';
import type { AppendedColumn } from '../../src/duckdb/append-columns.ts';
import { openColumnAppender } from '../../src/duckdb/append-columns.ts';
import { PHYSICAL_TYPE, readBatches } from '../../src/duckdb/batches.ts';
import { columnCast } from '../../src/duckdb/cast-column.ts';
import { type Database, openDatabase } from '../../src/duckdb/database.ts';
import { duckdbType } from '../../src/duckdb/types.ts';
import { temporaryFolder } from '../support/project.ts';

type Typed = Pick<Column, 'name' | 'type' | 'digits'>;

async function database(): Promise<Database> {
  return await openDatabase(':memory:', { threads: 1, memory: 1e9, temporary: await temporaryFolder() });
}

/** Scaled integers in as many bytes as DuckDB has for them; the last one is null. */
function fixed(values: readonly bigint[], width: number): AppendedColumn {
  const bytes = new Uint8Array(values.length * width);
  for (const [row, value] of values.entries()) {
    for (let byte = 0; byte < width; byte += 1) bytes[row * width + byte] = Number((value >> BigInt(8 * byte)) & 0xffn);
  }
  const valid = new Uint8Array(Math.ceil(values.length / 8)).fill(0xff);
  const last = values.length - 1;
  valid[last >> 3] = (valid[last >> 3] as number) & ~(1 << (last & 7));
  return { kind: 'fixed', width, bytes, valid };
}

/** Bits of all values, or null: a comparison of numbers takes 0 for -0. */
function bitsOf(values: ArrayLike<number | bigint>, valid: Uint8Array | undefined, rows: number): (bigint | null)[] {
  const view = new DataView(new ArrayBuffer(8));
  return Array.from({ length: rows }, (_, row) => {
    if (valid && ((valid[row >> 3] as number) & (1 << (row & 7))) === 0) return null;
    const value = values[row] as number | bigint;
    if (typeof value === 'bigint') return value;
    view.setFloat64(0, value);
    return view.getBigUint64(0);
  });
}

/** What DuckDB's CAST gives, and what ours does; of at most a vector. */
async function bothWays(db: Database, column: Typed, kind: ReadKind, appended: AppendedColumn, rows: number) {
  await db.run(`CREATE OR REPLACE TEMP TABLE t (c ${duckdbType({ ...column, type: column.type as 'integer' })})`);
  const appender = await openColumnAppender(db, 't');
  appender.append(rows, [appended]);
  appender.close();
  const found: (bigint | null)[] = [];
  for await (const batch of readBatches(db, `SELECT CAST(c AS ${PHYSICAL_TYPE[kind]}) FROM t`)) {
    const [read] = batch.columns;
    found.push(...bitsOf(read?.values as Float64Array, read?.valid, batch.rows));
  }
  const ours = columnCast(column, kind, rows)(appended, 0, rows);
  return { duckdb: found, ours: bitsOf(ours.values as Float64Array, ours.valid, rows) };
}

/** Small, about where a double ends to have every integer, about where halves end, and anything. */
function integers(digits: number, bits: number): fc.Arbitrary<bigint> {
  const most = 10n ** BigInt(digits) - 1n < 2n ** BigInt(bits - 1) ? 10n ** BigInt(digits) - 1n : 2n ** BigInt(bits - 1) - 1n;
  const within = (value: bigint) => (value > most ? most : value < -most ? -most : value);
  const near = fc
    .tuple(fc.constantFrom(0, 31, 32, 52, 53, 54, 63, 64, 65, 96, 126), fc.bigInt(-9n, 9n), fc.boolean())
    .map(([power, offset, negative]) => within((2n ** BigInt(power) + offset) * (negative ? -1n : 1n)));
  return fc.oneof(near, fc.bigInt(-10_000n, 10_000n).map(within), fc.bigInt(-most, most));
}

it.each([
  [4, 2, 2],
  [9, 0, 4],
  [9, 4, 4],
  [18, 0, 8],
  [18, 2, 8],
  [18, 17, 8],
  [38, 0, 16],
  [38, 9, 16],
  [38, 20, 16],
  [38, 37, 16],
] as const)('casts DECIMAL(%i, %i) to the double that DuckDB casts it to', async (precision, scale, width) => {
  await using db = await database();
  const column: Typed = { name: 'c', type: 'decimal', digits: [precision, scale] };
  await fc.assert(
    fc.asyncProperty(fc.array(integers(precision, width * 8), { minLength: 1, maxLength: 300 }), async (values) => {
      const { duckdb, ours } = await bothWays(db, column, 'float64', fixed(values, width), values.length);
      expect(ours).toEqual(duckdb);
    }),
    { numRuns: 60 },
  );
});

it.each(['float64', 'int64'] as const)('casts whole numbers and booleans to %s as DuckDB does', async (kind) => {
  await using db = await database();
  const integer: Typed = { name: 'c', type: 'integer' };
  await fc.assert(
    fc.asyncProperty(fc.array(integers(19, 64), { minLength: 1, maxLength: 300 }), async (values) => {
      const { duckdb, ours } = await bothWays(db, integer, kind, fixed(values, 8), values.length);
      expect(ours).toEqual(duckdb);
    }),
    { numRuns: 60 },
  );
  const flags = fixed([1n, 0n, 0n, 1n, 1n], 1);
  const { duckdb, ours } = await bothWays(db, { name: 'c', type: 'bool' }, kind, flags, 5);
  expect(ours).toEqual(duckdb);
});

it.each([
  [4, 2],
  [9, 4],
  [18, 8],
  [38, 16],
] as const)('casts DECIMAL(%i, 0) to whole numbers as DuckDB does, and refuses what does not fit', async (digits, width) => {
  await using db = await database();
  const column: Typed = { name: 'c', type: 'decimal', digits: [digits, 0] };
  await fc.assert(
    fc.asyncProperty(fc.array(integers(Math.min(digits, 18), width * 8), { minLength: 1, maxLength: 300 }), async (values) => {
      const { duckdb, ours } = await bothWays(db, column, 'int64', fixed(values, width), values.length);
      expect(ours).toEqual(duckdb);
    }),
    { numRuns: 30 },
  );
  if (width < 16) return;
  for (const value of [2n ** 63n, -(2n ** 63n) - 1n, 10n ** 37n]) {
    const cast = columnCast(column, 'int64', 2);
    expect(() => cast(fixed([value, 0n], 16), 0, 2)).toThrow(/^Conversion Error/);
    // A null has no value that could be too large.
    expect(cast(fixed([7n, value], 16), 0, 2).values[0]).toBe(7n);
  }
});

it('hands over doubles and whole numbers without a copy, from any multiple of eight rows on', () => {
  const doubles = Float64Array.from({ length: 24 }, (_, i) => i / 7);
  const bytes = new Uint8Array(doubles.buffer);
  const valid = Uint8Array.of(0xff, 0xfe, 0xff);
  const cast = columnCast({ name: 'c', type: 'float' }, 'float64', 24)({ kind: 'fixed', width: 8, bytes, valid }, 8, 16);
  expect(cast.values).toEqual(doubles.subarray(8));
  expect((cast.values as Float64Array).buffer).toBe(doubles.buffer);
  expect([...(cast.valid ?? [])]).toEqual([0xfe, 0xff]);
});

it('reads texts of any alphabet, empty ones and nulls', () => {
  fc.assert(
    fc.property(
      fc.array(fc.option(fc.oneof(fc.string({ unit: 'grapheme' }), fc.string(), fc.constant('\ufeff'))), { minLength: 1 }),
      (values) => {
        const encoded = values.map((value) => Buffer.from(value ?? ''));
        const offsets = new Int32Array(values.length + 1);
        for (const [i, { length }] of encoded.entries()) offsets[i + 1] = (offsets[i] as number) + length;
        const valid = new Uint8Array(Math.ceil(values.length / 8));
        for (const [i, value] of values.entries())
          if (value !== null) valid[i >> 3] = (valid[i >> 3] as number) | (1 << (i & 7));
        const bytes = new Uint8Array(Buffer.concat(encoded));
        const cast = columnCast({ name: 'c', type: 'string' }, 'string', values.length);
        for (let start = 0; start < values.length; start += 8) {
          const read = cast({ kind: 'text', offsets, bytes, valid }, start, values.length - start).values;
          expect(read).toEqual(values.slice(start));
        }
      },
    ),
  );
});

it('refuses what no model input asks for', () => {
  expect(() => columnCast({ name: 'day', type: 'date' }, 'float64', 8)).toThrow('day is date and cannot be read as float64');
  expect(() => columnCast({ name: 'd', type: 'decimal', digits: [9, 2] }, 'int64', 8)).toThrow('cannot be read as int64');
});

import { type DataType, Decimal, Field, makeData, RecordBatch, Schema, Struct, Table, tableToIPC } from 'apache-arrow';
import { expect, it } from 'vitest';
import { openColumnAppender } from '../../../src/duckdb/append-columns.ts';
import { openDatabase } from '../../../src/duckdb/database.ts';
import { arrowReader } from '../../../src/warehouse/bigquery/arrow.ts';
import { temporaryFolder } from '../../support/project.ts';

// What the emulator cannot give: it has one kind of decimal.

const VALUES = [0n, 1n, -1n, 9999n, -9999n];

/** A column of decimals as the Storage API sends it. @param values scaled integers */
function decimals(precision: number, scale: number, bits: 128 | 256, values: readonly bigint[]): Uint8Array {
  const words = bits / 32;
  const data = new Uint32Array(values.length * words);
  for (const [row, value] of values.entries()) {
    const unsigned = BigInt.asUintN(bits, value);
    for (let word = 0; word < words; word += 1)
      data[row * words + word] = Number((unsigned >> BigInt(32 * word)) & 0xffff_ffffn);
  }
  const type: DataType = new Decimal(scale, precision, bits);
  const schema = new Schema([new Field('d', type, true)]);
  const child = makeData({ type: type as Decimal, length: values.length, data });
  const batch = new RecordBatch(
    schema,
    makeData({ type: new Struct(schema.fields), length: values.length, children: [child] }),
  );
  return tableToIPC(new Table(schema, batch), 'stream');
}

it.each([
  [4, 2, 128, [4, 2], VALUES, ['0.00', '0.01', '-0.01', '99.99', '-99.99']],
  [9, 2, 128, [9, 2], VALUES, ['0.00', '0.01', '-0.01', '99.99', '-99.99']],
  [18, 0, 128, [18, 0], [-(10n ** 17n), 10n ** 17n], ['-100000000000000000', '100000000000000000']],
  [38, 9, 128, [38, 9], [-(10n ** 37n), 1n], ['-10000000000000000000000000000.000000000', '0.000000001']],
  [38, 0, 256, [38, 0], [-(10n ** 37n), 7n], [`-1${'0'.repeat(37)}`, '7']],
  // Another scale than the query's column has.
  [38, 9, 128, [10, 2], [-1_230_000_000n, 10_000_000n], ['-1.23', '0.01']],
  [38, 0, 128, [10, 2], [-5n, 7n], ['-5.00', '7.00']],
] as const)('reads DECIMAL(%i, %i) of %i bits', async (precision, scale, bits, digits, values, expected) => {
  await using database = await openDatabase(':memory:', { threads: 1, memory: 1e8, temporary: await temporaryFolder() });
  await database.run(`CREATE TEMP TABLE t (d DECIMAL(${digits[0]}, ${digits[1]}))`);
  const appender = await openColumnAppender(database, 't');
  const read = arrowReader(new Uint8Array(), [{ name: 'D', type: 'decimal', digits }])(
    decimals(precision, scale, bits, values),
  );
  for (const { rows, columns } of read) appender.append(rows, columns);
  appender.close();
  expect((await database.rows('SELECT CAST(d AS VARCHAR) FROM t')).flat()).toEqual(expected);
});

it('refuses to lose digits, and a column that was not read', () => {
  const message = decimals(38, 9, 128, [1n]);
  expect(() => arrowReader(new Uint8Array(), [{ name: 'd', type: 'decimal', digits: [10, 2] }])(message)).toThrow(
    'more digits',
  );
  expect(() => arrowReader(new Uint8Array(), [{ name: 'e', type: 'integer' }])(message)).toThrow('has no column e');
});

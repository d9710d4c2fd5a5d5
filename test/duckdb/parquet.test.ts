import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import type { TableColumn } from '../../src/domain/tables.ts';
import { openDatabase } from '../../src/duckdb/database.ts';
import { type ParquetFile, writeParquet } from '../../src/duckdb/parquet.ts';
import { literal } from '../../src/duckdb/sql.ts';
import { temporaryFolder } from '../support/project.ts';

const failed: ParquetFile['failed'] = (reason, cause) => new Error(`cannot: ${reason}`, { cause });

async function write(
  { from, path: file, columns }: { from: string; path: string; columns: readonly TableColumn[] },
  { threads = 2, memory = 500_000_000 } = {},
): Promise<void> {
  await using database = await openDatabase(':memory:', { threads, memory, temporary: path.dirname(file) });
  await writeParquet(database, from, { path: file, columns, failed });
}

async function read(file: string, select: string): Promise<unknown[][]> {
  await using database = await openDatabase(':memory:', { memory: 500_000_000, temporary: path.dirname(file) });
  return (await database.rows(`SELECT ${select}`)).map((row) => row.map((value) => (value === null ? null : String(value))));
}

it('has every value exactly, with the type of its column, in the order of ranks', async () => {
  const file = path.join(await temporaryFolder(), "it's {a} report.parquet");
  const types: readonly (readonly [TableColumn['type'], string, string, (readonly [number, number])?])[] = [
    ['string', "'=cmd|''/c calc''!a1'", 'BYTE_ARRAY UTF8'],
    ['string', `'say "a", ' || chr(10) || chr(13) || chr(9) || chr(0) || '<b>💶 שלום'`, 'BYTE_ARRAY UTF8'],
    ['integer', '-9223372036854775808', 'INT64 INT_64'],
    ['decimal', "CAST('-0.123456' AS DECIMAL(7, 6))", 'INT32 DecimalType(scale=6, precision=7)', [7, 6]],
    [
      'decimal',
      "CAST('12345678901234567890123456789012345678' AS DECIMAL(38, 0))",
      'FIXED_LEN_BYTE_ARRAY DecimalType(scale=0, precision=38)',
      [38, 0],
    ],
    ['float', "CAST('0.1' AS DOUBLE)", 'DOUBLE null'],
    ['bool', 'true', 'BOOLEAN null'],
    ['date', "DATE '0001-02-03'", 'INT32 DATE'],
    [
      'datetime',
      "TIMESTAMP '2026-11-18 09:00:00.123456'",
      'INT64 TimestampType(isAdjustedToUTC=0, unit=TimeUnit(MILLIS=<null>, MICROS=MicroSeconds(), NANOS=<null>))',
    ],
    [
      'timestamp',
      "TIMESTAMPTZ '2026-11-18 09:00:00.000001+01'",
      'INT64 TimestampType(isAdjustedToUTC=1, unit=TimeUnit(MILLIS=<null>, MICROS=MicroSeconds(), NANOS=<null>))',
    ],
    ['uuid', "CAST('00000000-0000-0000-0000-00000000000a' AS UUID)", 'FIXED_LEN_BYTE_ARRAY UUIDType()'],
  ];
  const columns = types.map(([type, , , digits], i): TableColumn => ({ name: `c ${i}`, type, ...(digits && { digits }) }));
  const named = (values: readonly string[]) => values.map((sql, i) => `${sql} AS "c ${i}"`).join(', ');
  const values = named(types.map(([, sql]) => sql));
  await write({
    from: `(SELECT 2 AS rank, ${values} UNION ALL SELECT 1, ${types.map(() => 'NULL').join(', ')})`,
    path: file,
    columns,
  });
  const all = columns.map(({ name }) => `"${name}"`).join(', ');
  const [nulls, found] = await read(file, `${all} FROM read_parquet(${literal(file)})`);
  expect(nulls).toEqual(types.map(() => null));
  expect(found).toEqual((await read(file, `${all} FROM (SELECT ${values})`))[0]);
  const schema = await read(
    file,
    `type || ' ' || coalesce(logical_type, converted_type, 'null') FROM parquet_schema(${literal(file)}) WHERE type IS NOT NULL`,
  );
  expect(schema.map(([type]) => type)).toEqual(types.map(([, , type]) => type));
});

it('has the same bytes with every number of threads, every memory and every order of the rows', async () => {
  const folder = await temporaryFolder();
  const columns: TableColumn[] = [
    { name: 'rank', type: 'integer' },
    { name: 'text', type: 'string' },
  ];
  const rows = 400_000;
  const inOrder = `(SELECT 1 + range AS rank, 'user ' || hash(range) AS "text" FROM range(${rows}))`;
  const shuffled = `(SELECT 1 + n AS rank, 'user ' || hash(n) AS "text" FROM (SELECT range * 7919 % ${rows} AS n FROM range(${rows})))`;
  const digests = new Set<string>();
  for (const [i, [from, threads, memory]] of (
    [
      [inOrder, 1, 500_000_000],
      [shuffled, 1, 60_000_000],
      [shuffled, 4, 200_000_000],
    ] as const
  ).entries()) {
    const file = path.join(folder, `${i}.parquet`);
    await write({ from, path: file, columns }, { threads, memory });
    digests.add(
      createHash('sha256')
        .update(await readFile(file))
        .digest('hex'),
    );
  }
  expect(digests.size).toBe(1);
  const file = literal(path.join(folder, '0.parquet'));
  expect(
    await read(
      path.join(folder, 'x'),
      `count(*), count_if(rank <> file_row_number + 1) FROM read_parquet(${file}, file_row_number = true)`,
    ),
  ).toEqual([[`${rows}`, '0']]);
});

it('has small groups if texts are long, also where only some are', async () => {
  const file = path.join(await temporaryFolder(), 'w.parquet');
  const long = "CASE WHEN range < 40000 THEN 'short' ELSE repeat('long', 1000) || range END";
  await write({
    from: `(SELECT 1 + range AS rank, ${long} AS "text" FROM range(50000))`,
    path: file,
    columns: [{ name: 'text', type: 'string' }],
  });
  const [[most]] = (await read(file, `max(row_group_num_rows) FROM parquet_metadata(${literal(file)})`)) as [[string]];
  expect(Number(most)).toBeLessThanOrEqual(8_192);
  expect((await stat(file)).size).toBeGreaterThan(0);
});

it('has its columns if there are no rows', async () => {
  const file = path.join(await temporaryFolder(), 'w.parquet');
  await write({ from: '(SELECT 1 AS rank, 2 AS a WHERE false)', path: file, columns: [{ name: 'a', type: 'integer' }] });
  expect(await read(file, `column_name, column_type FROM (DESCRIBE FROM read_parquet(${literal(file)}))`)).toEqual([
    ['a', 'BIGINT'],
  ]);
});

it('tells a disk that takes no more from rows that cannot be read', async () => {
  const columns: TableColumn[] = [{ name: 'rank', type: 'integer' }];
  const some = '(SELECT range AS rank FROM range(500000))';
  await expect(write({ from: some, path: '/dev/full', columns })).rejects.toThrow('cannot: no space left on device');
  const folder = await temporaryFolder();
  await expect(write({ from: some, path: path.join(folder, 'missing', 'w.parquet'), columns })).rejects.toThrow(/^cannot: /);
  await expect(write({ from: "read_csv('/missing.csv')", path: path.join(folder, 'w.parquet'), columns })).rejects.toThrow(
    /^IO Error: No files found/,
  );
});

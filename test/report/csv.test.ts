import { tmpdir } from 'node:os';
import path from 'node:path';
import type { DuckDBBlobValue } from '@duckdb/node-api';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { TableColumn } from '../../src/domain/tables.ts';
import { openDatabase } from '../../src/duckdb/database.ts';
import { literal } from '../../src/duckdb/sql.ts';
import { csvHeader, csvLine } from '../../src/report/csv.ts';
import { temporaryFolder } from '../support/project.ts';

type Type = TableColumn['type'];

const database = await openDatabase(':memory:', { threads: 1, memory: 500_000_000, temporary: tmpdir() });
afterAll(() => database[Symbol.asyncDispose]());

/** The rows of a query as lines of the file. */
async function lines(query: string, columns: readonly TableColumn[]): Promise<string> {
  // As bytes, like `renderRanges`: DuckDB's client drops a \uFEFF at the start of a text.
  const rows = await database.rows(`SELECT encode(${csvLine(columns)}) FROM (${query})`);
  return rows.map(([line]) => Buffer.from((line as DuckDBBlobValue).bytes).toString()).join('');
}

/** The cell of one value, given as SQL. */
async function cell(type: Type, sql: string): Promise<string> {
  return (await lines(`SELECT ${sql} AS value`, [{ name: 'value', type }])).replace(/\n$/, '');
}

it('writes each type in one way, and a null as nothing', async () => {
  const columns: [Type, string, string][] = [
    ['string', "'plain'", 'VARCHAR'],
    ['integer', '-9223372036854775808', 'BIGINT'],
    ['decimal', '-0.1', 'DECIMAL(7, 6)'],
    ['decimal', '12345678901234567890123456789012345678', 'DECIMAL(38, 0)'],
    ['float', '-0.5', 'DOUBLE'],
    ['bool', 'true', 'BOOLEAN'],
    ['date', "'2026-11-18'", 'DATE'],
    ['timestamp', "'2026-11-18T09:00:00+01:00'", 'TIMESTAMPTZ'],
    ['timestamp', "'2026-11-18T09:00:00.000001Z'", 'TIMESTAMPTZ'],
    ['datetime', "'2026-11-18T09:00:00.12'", 'TIMESTAMP'],
    ['uuid', "'00000000-0000-0000-0000-00000000000a'", 'UUID'],
  ];
  const named = columns.map(([type], i): TableColumn => ({ name: `${type} ${i}`, type }));
  const row = (value: (sql: string) => string) =>
    `SELECT ${columns.map(([, sql, native], i) => `CAST(${value(sql)} AS ${native}) AS "${named[i]?.name}"`).join(', ')}`;
  const text = csvHeader(named) + (await lines(`${row((sql) => sql)} UNION ALL ${row(() => 'NULL')}`, named));
  expect(text).toMatchInlineSnapshot(`
    "string 0,integer 1,decimal 2,decimal 3,float 4,bool 5,date 6,timestamp 7,timestamp 8,datetime 9,uuid 10
    plain,-9223372036854775808,-0.100000,12345678901234567890123456789012345678,-0.5,true,2026-11-18,2026-11-18T08:00:00Z,2026-11-18T09:00:00.000001Z,2026-11-18T09:00:00.120000,00000000-0000-0000-0000-00000000000a
    ,,,,,,,,,,
    "
  `);
});

describe('cells that a spreadsheet must not run', () => {
  it.each(['=1+1', '+1', '-1', '@sum(a1)', '\t=1', '\r=1', '＝1', '＋1', '－1', '＠1', '=cmd|"/c calc"!a1,', '-', '=\n1'])(
    'writes %j with an apostrophe in front',
    async (text) => {
      const written = await lines(`SELECT '${text}' AS value`, [{ name: 'value', type: 'string' }]);
      expect(parse(written, { record_delimiter: '\n' })).toEqual([[`'${text}`]]);
    },
  );

  it('writes column names with an apostrophe in front too', () => {
    const columns = ['=a', 'b,c', 'say "d"', 'e;f', 'g'].map((name): TableColumn => ({ name, type: 'integer' }));
    expect(csvHeader(columns)).toBe(`'=a,"b,c","say ""d""","e;f",g\n`);
  });

  it.each<[Type, string, string]>([
    ['integer', '-1', '-1'],
    ['decimal', 'CAST(-1.5 AS DECIMAL(3, 1))', '-1.5'],
    ['float', 'CAST(-1e-7 AS DOUBLE)', '-1e-07'],
    ['date', "DATE '0001-01-01 (BC)'", '0001-01-01 (BC)'],
  ])('writes a number without an apostrophe: %s %s', async (type, sql, text) => {
    expect(await cell(type, sql)).toBe(text);
  });
});

it('quotes a cell exactly if its text would end the cell or the line for some reader', async () => {
  const written = await Promise.all(
    [
      "'a,b'",
      `'a"b'`,
      "'a' || chr(10)",
      "chr(13) || 'a'",
      "'a' || chr(13) || 'b'",
      "'x;=1+1'",
      "'x' || chr(9) || '=1+1'",
      "'x；＝1'",
      "'＝1'",
      "'x，1'",
      "'a b-c'",
    ].map((sql) => cell('string', sql)),
  );
  expect(written).toEqual([
    '"a,b"',
    '"a""b"',
    '"a\n"',
    '"\'\ra"',
    '"a\rb"',
    '"x;=1+1"',
    '"x\t=1+1"',
    '"x；＝1"',
    '"\'＝1"',
    '"x，1"',
    'a b-c',
  ]);
});

it('writes a repeated text the same in every row, although DuckDB keeps it in a dictionary', async () => {
  const texts = ['US', '', '=1+1', 'a-b', '-a', 'x;y', 'say "z"', '＝1', 'Köln'];
  const folder = await temporaryFolder();
  await using stored = await openDatabase(path.join(folder, 'w.duckdb'), {
    threads: 1,
    memory: 500_000_000,
    temporary: folder,
  });
  // By itself DuckDB decides by a sample of the rows, and now and then takes FSST for a segment.
  await stored.run("PRAGMA force_compression = 'dictionary'");
  await stored.run(
    `CREATE TABLE texts AS SELECT CAST(i AS BIGINT) AS i, [${texts.map(literal).join(', ')}][1 + i % ${texts.length}] AS text FROM range(200000) t(i)`,
  );
  await stored.run('CHECKPOINT');
  expect(
    await stored.rows(
      `SELECT DISTINCT compression FROM pragma_storage_info('texts') WHERE column_name = 'text' AND segment_type = 'VARCHAR'`,
    ),
  ).toEqual([['Dictionary']]);
  const columns: TableColumn[] = [{ name: 'text', type: 'string' }];
  const found = await stored.rows(
    `SELECT i % ${texts.length}, ${csvLine(columns)}, CAST(count(*) AS INTEGER) FROM texts GROUP BY ALL ORDER BY ALL`,
  );
  const alone = await Promise.all(texts.map((text) => cell('string', literal(text))));
  expect(found.map(([, line]) => line)).toEqual(alone.map((written) => `${written}\n`));
});

describe('a CSV reader returns every text unchanged, except for the apostrophe of a formula', () => {
  // The expressions use these names themselves.
  const columns: TableColumn[] = [
    { name: 'text', type: 'string' },
    { name: 'say "x"', type: 'string' },
  ];
  const guarded = (text: string) => (/^[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text);
  // Below a header, as in the file: the reader would take a \uFEFF at the start of the file for a byte order mark.
  const read = (written: string) => (parse(`text,x\n${written}`, { record_delimiter: '\n' }) as string[][]).slice(1);
  // A statement cannot contain a zero byte, but a table can.
  const sql = (text: string) => `replace(${literal(text.replaceAll('\0', '\uE000'))}, '\uE000', chr(0))`;

  it('with any characters, many rows at once', async () => {
    const special = [
      ',',
      ';',
      '；',
      '"',
      '\n',
      '\r',
      "'",
      '=',
      '+',
      '-',
      '@',
      ' ',
      '\t',
      '＝',
      '＋',
      '－',
      '＠',
      '\0',
      '\uFEFF',
      '💶',
      '\r\n',
    ];
    const character = fc.oneof(fc.constantFrom(...special), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }));
    const text = fc.string({ unit: character, maxLength: 8 }).filter((some) => !some.includes('\uE000'));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 40 }), async (rows) => {
        const values = rows.map((row) => `(${row.map(sql).join(', ')})`).join(', ');
        const written = await lines(`FROM (VALUES ${values}) AS rows("text", "say ""x""")`, columns);
        expect(read(written)).toEqual(rows.map((row) => row.map(guarded)));
      }),
      { numRuns: 100 },
    );
  });

  it('with half a surrogate pair as U+FFFD, as DuckDB stores it', async () => {
    const half = fc.integer({ min: 0xd800, max: 0xdfff }).map((code) => String.fromCharCode(code));
    await fc.assert(
      fc.asyncProperty(half, fc.constantFrom('', ',', '=', '"', 'a'), async (lone, before) => {
        const a = `${before}${lone}`;
        const [[written] = []] = await database.rows(
          `SELECT ${csvLine(columns)} FROM (SELECT CAST($a AS VARCHAR) AS text, 'b' AS "say ""x""")`,
          { a },
        );
        expect(read(String(written))).toEqual([[guarded(`${before}\uFFFD`), 'b']]);
      }),
    );
  });

  it('of any length', async () => {
    const long = `=${'"a",\n💶'.repeat(500_000)}`;
    const [[written] = []] = await database.rows(
      `SELECT ${csvLine(columns)} FROM (SELECT CAST($long AS VARCHAR) AS text, '' AS "say ""x""")`,
      { long },
    );
    // Compared outside of expect, since a diff of megabytes is useless.
    expect(read(String(written))[0]?.[0] === `'${long}`).toBe(true);
  });
});

it.each([
  ['1970-01-01T00:00:00'],
  ['1970-01-01T00:00:00.000001'],
  ['1969-12-31T23:59:59.999999'],
  ['1969-12-31T23:59:59'],
  ['1900-06-15T12:34:56.700000'],
  ['2026-11-18T09:00:00.123456'],
  ['0001-01-01T00:00:00'],
  ['9999-12-31T23:59:59.999999'],
])('writes %s as a wall-clock time and as an instant', async (text) => {
  expect(await cell('datetime', `TIMESTAMP '${text}'`)).toBe(text);
  expect(await cell('timestamp', `TIMESTAMPTZ '${text}Z'`)).toBe(`${text}Z`);
});

it('writes an infinite or missing time as one cell', async () => {
  for (const type of ['datetime', 'timestamp'] as const) {
    const native = type === 'datetime' ? 'TIMESTAMP' : 'TIMESTAMPTZ';
    expect(await cell(type, `${native} 'infinity'`)).toMatch(/^infinity/);
    expect(await cell(type, `CAST(NULL AS ${native})`)).toBe('');
  }
});

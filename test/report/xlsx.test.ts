import { tmpdir } from 'node:os';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { TableColumn } from '../../src/domain/tables.ts';
import { openDatabase } from '../../src/duckdb/database.ts';
import { renderRanges } from '../../src/duckdb/render.ts';
import { literal } from '../../src/duckdb/sql.ts';
import { CELL_LIMIT, lettersOf } from '../../src/report/sheet-row.ts';
import { xlsxWriter } from '../../src/report/xlsx.ts';
import { readWorkbook } from '../support/workbook.ts';

type Type = TableColumn['type'];

const database = await openDatabase(':memory:', { memory: 500_000_000, temporary: tmpdir() });
afterAll(() => database[Symbol.asyncDispose]());

/** Writes the workbook of a query's rows, which have a column `rank`. */
async function write(
  { query, columns, rows }: { query: string; columns: readonly TableColumn[]; rows: number },
  pending: { write(data: string | Uint8Array): Promise<void> },
): Promise<void> {
  const writer = xlsxWriter(pending, { file: '/reports/w.xlsx', columns, rows });
  try {
    await writer.begin();
    for await (const { lines } of renderRanges(database, { from: `(${query})` }, { lines: [writer.line], rows })) {
      await writer.write(lines[0] ?? new Uint8Array());
    }
    await writer.end();
  } finally {
    await writer.stop();
  }
}

async function piecesOf(query: string, columns: readonly TableColumn[], rows: number): Promise<Buffer<ArrayBuffer>[]> {
  const pieces: Buffer<ArrayBuffer>[] = [];
  await write({ query, columns, rows }, { write: async (data) => void pieces.push(Buffer.from(data as Uint8Array)) });
  return pieces;
}

async function workbook(query: string, columns: readonly TableColumn[], rows: number) {
  return await readWorkbook(Buffer.concat(await piecesOf(query, columns, rows)));
}

/** The cell of one value, given as SQL: `number 0.5 [General]`; undefined if there is none. */
async function cell(type: Type, sql: string, digits?: readonly [number, number]): Promise<string | undefined> {
  const column: TableColumn = { name: 'value', type, ...(digits && { digits }) };
  const found = (await workbook(`SELECT ${sql} AS value, 1 AS rank`, [column], 1)).rows[1]?.A;
  return found && [found.type, found.value, ...(found.format === undefined ? [] : [`[${found.format}]`])].join(' ');
}

const DAY = 'yyyy\\-mm\\-dd';
const TIME = `${DAY}\\ hh:mm:ss`;

describe('writes a value as the type that it has', () => {
  it.each<[Type, string, string, (readonly [number, number])?]>([
    ['integer', '-42', 'number -42 [0]'],
    ['decimal', 'CAST(-0.1 AS DECIMAL(7, 6))', 'number -0.100000 [0.000000]', [7, 6]],
    ['decimal', 'CAST(12 AS DECIMAL(10, 0))', 'number 12 [0]', [10, 0]],
    ['float', '0.1::DOUBLE', 'number 0.1 [General]'],
    ['float', '1e300::DOUBLE', 'number 1e+300 [General]'],
    ['bool', 'false', 'bool 0'],
    ['string', "'0123'", 'text 0123'],
    ['string', "''", 'text '],
    ['uuid', "'00000000-0000-0000-0000-00000000000a'::UUID", 'text 00000000-0000-0000-0000-00000000000a'],
    ['date', "DATE '1970-01-01'", `number 25569 [${DAY}]`],
    ['date', "DATE '1900-03-01'", `number 61 [${DAY}]`],
    ['date', "DATE '9999-12-31'", `number 2958465 [${DAY}]`],
    ['datetime', "TIMESTAMP '2026-11-18 06:00:00'", `number 46344.25 [${TIME}]`],
    ['timestamp', "TIMESTAMPTZ '2026-11-18 07:00:00+01'", `number 46344.25 [${TIME}]`],
  ])('%s %s', async (type, sql, written, digits) => {
    expect(await cell(type, sql, digits)).toBe(written);
  });

  it.each<[Type, string, string, (readonly [number, number])?]>([
    // Excel keeps 15 digits.
    ['integer', '999999999999999', 'number 999999999999999 [0]'],
    ['integer', '-1000000000000000', 'text -1000000000000000'],
    ['integer', '9007199254740993', 'text 9007199254740993'],
    [
      'decimal',
      "CAST('12345678901234567890123456789012345678' AS DECIMAL(38, 0))",
      'text 12345678901234567890123456789012345678',
    ],
    ['decimal', "CAST('0.123456789012345678' AS DECIMAL(38, 18))", 'text 0.123456789012345678', [38, 18]],
    [
      'decimal',
      "CAST('-100000000000.125' AS DECIMAL(38, 18))",
      'number -100000000000.125000000000000000 [0.000000000000000]',
      [38, 18],
    ],
    ['decimal', "CAST('1230000000000000' AS DECIMAL(20, 0))", 'text 1230000000000000', [20, 0]],
    ['float', "'nan'::DOUBLE", 'text nan'],
    ['float', "'-inf'::DOUBLE", 'text -inf'],
    ['date', "DATE '1900-02-28'", 'text 1900-02-28'],
    ['date', "DATE 'infinity'", 'text infinity'],
    ['datetime', "TIMESTAMP '0001-01-01 00:00:00.5'", 'text 0001-01-01T00:00:00.500000'],
    ['timestamp', "TIMESTAMPTZ '10000-01-01 00:00:00+00'", 'text 10000-01-01T00:00:00Z'],
  ])('or as text, if a spreadsheet would change it: %s %s', async (type, sql, written, digits) => {
    expect(await cell(type, sql, digits)).toBe(written);
  });

  it('and a null as no cell', async () => {
    const types = ['integer', 'decimal', 'float', 'bool', 'string', 'date', 'datetime', 'timestamp', 'uuid'] as const;
    const natives = ['BIGINT', 'DECIMAL(38, 9)', 'DOUBLE', 'BOOLEAN', 'VARCHAR', 'DATE', 'TIMESTAMP', 'TIMESTAMPTZ', 'UUID'];
    for (const [i, type] of types.entries()) expect(await cell(type, `CAST(NULL AS ${natives[i]})`)).toBeUndefined();
  });
});

it('gives every text back unchanged, but for control characters that XML forbids', async () => {
  const special = [
    '=1+1',
    '_x0041_',
    '_x',
    '0041_',
    '_',
    '&',
    '&amp;',
    '<',
    '>',
    ']]>',
    '"',
    "'",
    '\r',
    '\n',
    '\t',
    ' ',
    '\u2028',
  ];
  const scripts = ['שלום', '\u202e', '💶', 'é', '\uFEFF', '\uFFFE', '\u0001', '\u001f', '\u007f', '\u0085'];
  const unit = fc.oneof(fc.constantFrom(...special, ...scripts), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }));
  // A statement cannot contain a zero byte, but a table can.
  const text = fc.string({ unit, maxLength: 8 }).filter((some) => !some.includes('\uE000'));
  const sql = (value: string) => `replace(${literal(value.replaceAll('\0', '\uE000'))}, '\uE000', chr(0))`;
  const allowed = (character: string) =>
    character >= ' ' ? !'\uFFFE\uFFFF'.includes(character) : '\t\n\r'.includes(character);
  const visible = (value: string) => [...Buffer.from(value).toString()].filter(allowed).join('');
  const columns: TableColumn[] = [
    { name: 'rank', type: 'integer' },
    { name: 'text', type: 'string' },
  ];
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 40 }), async (texts) => {
      const values = texts.map((value, i) => `(${i + 1}, ${sql(value)})`).join(', ');
      const { rows } = await workbook(`FROM (VALUES ${values}) AS rows(rank, "text")`, columns, texts.length);
      expect(rows.slice(1).map(({ B }) => B)).toEqual(texts.map((value) => ({ type: 'text', value: visible(value) })));
    }),
    { numRuns: 50 },
  );
});

it('has a frozen header row, a filter and widths, and names that need escapes', async () => {
  const names = ['rank', 'a<b>&"c"', 'x'.repeat(40)];
  const columns = names.map((name): TableColumn => ({ name, type: name === 'rank' ? 'integer' : 'string' }));
  const query = `SELECT 1 + range AS rank, 'v' AS "a<b>&""c""", 'w' AS "${'x'.repeat(40)}" FROM range(3)`;
  const found = await workbook(query, columns, 3);
  expect(found.rows.map((row) => Object.values(row).map(({ value }) => value))).toEqual([
    names,
    ['1', 'v', 'w'],
    ['2', 'v', 'w'],
    ['3', 'v', 'w'],
  ]);
  const sheet = found.part('xl/worksheets/sheet1.xml');
  expect(sheet).toContain('<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>');
  expect(sheet).toMatch(/<\/sheetData><autoFilter ref="A1:C4"\/><\/worksheet>$/);
  expect(sheet).toContain('<col min="3" max="3" width="44" customWidth="1"/>');
  expect(found.part('xl/workbook.xml')).toContain('report!$A$1:$C$4');
});

it('has a header alone if there are no users', async () => {
  const columns: TableColumn[] = [{ name: 'rank', type: 'integer' }];
  const found = await workbook('SELECT 1 AS rank WHERE false', columns, 0);
  expect(found.rows).toEqual([{ A: { type: 'text', value: 'rank', format: undefined } }]);
  expect(found.part('xl/worksheets/sheet1.xml')).toContain('<autoFilter ref="A1:A1"/>');
});

it('is written in small pieces, and again with the same bytes at another time', async () => {
  const columns: TableColumn[] = [
    { name: 'rank', type: 'integer' },
    { name: 'text', type: 'string' },
  ];
  const query = `SELECT 1 + range AS rank, 'user ' || hash(range) AS "text" FROM range(200000)`;
  const pieces = await piecesOf(query, columns, 200_000);
  expect(pieces.length).toBeGreaterThan(10);
  expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(1_000_000);
  // The format has times of two seconds.
  await new Promise((resolve) => setTimeout(resolve, 2_100));
  expect(Buffer.compare(Buffer.concat(await piecesOf(query, columns, 200_000)), Buffer.concat(pieces))).toBe(0);
  const { part } = await readWorkbook(Buffer.concat(pieces));
  expect(part('xl/worksheets/sheet1.xml').match(/<row /g)).toHaveLength(200_001);
});

it('refuses a text that no cell can hold, by its column, and takes the longest that one can', async () => {
  const columns: TableColumn[] = [
    ...Array.from({ length: 27 }, (_, i): TableColumn => ({ name: `c${i}`, type: 'integer' })),
    { name: 'note', type: 'string' },
  ];
  const padding = Array.from({ length: 27 }, (_, i) => `1 AS c${i}`).join(', ');
  const long = async (sql: string) => await workbook(`SELECT 1 AS rank, ${padding}, ${sql} AS note`, columns, 1);
  expect((await long(`repeat('a', ${CELL_LIMIT})`)).rows[1]?.AB?.value).toHaveLength(CELL_LIMIT);
  // A character beyond the basic plane is two of UTF-16, and four bytes.
  expect((await long(`repeat('💶', ${(CELL_LIMIT - 1) / 2})`)).rows[1]?.AB?.value).toHaveLength(CELL_LIMIT - 1);
  expect((await long(`repeat('ü', ${CELL_LIMIT})`)).rows[1]?.AB?.value).toHaveLength(CELL_LIMIT);
  for (const sql of [`repeat('a', ${CELL_LIMIT + 1})`, `repeat('💶', ${(CELL_LIMIT + 1) / 2})`])
    await expect(long(sql)).rejects.toMatchObject({
      kind: 'report',
      message: 'the report /reports/w.xlsx cannot hold a text of more than 32,767 characters in note',
      hint: expect.stringContaining('use report.csv or report.parquet in place of report.xlsx'),
    });
});

it.each([1, 3, Number.POSITIVE_INFINITY])('ends with the error of the disk if it is full from piece %s on', async (from) => {
  const query = `SELECT 1 + range AS rank, 'user ' || hash(range) AS "text" FROM range(300000)`;
  const columns: TableColumn[] = [{ name: 'text', type: 'string' }];
  let pieces = 0;
  const full = new Error('ENOSPC: no space left on device');
  const writing = write(
    { query, columns, rows: 300_000 },
    {
      write: async () => {
        pieces += 1;
        if (pieces >= from) throw full;
      },
    },
  );
  if (from === Number.POSITIVE_INFINITY) await writing;
  else await expect(writing).rejects.toBe(full);
});

it('names columns by letters', () => {
  expect([0, 25, 26, 51, 52, 701, 702, 16_383].map(lettersOf)).toEqual(['A', 'Z', 'AA', 'AZ', 'BA', 'ZZ', 'AAA', 'XFD']);
});

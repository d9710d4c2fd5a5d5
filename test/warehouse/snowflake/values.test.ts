import { describe, expect, it } from 'vitest';
import type { Column } from '../../../src/domain/schema.ts';
import { openDatabase } from '../../../src/duckdb/database.ts';
import { DUCKDB } from '../../../src/warehouse/duckdb/dialect.ts';
import { toColumn } from '../../../src/warehouse/snowflake/columns.ts';
import { literal, SNOWFLAKE } from '../../../src/warehouse/snowflake/dialect.ts';
import { fromText } from '../../../src/warehouse/snowflake/transfer.ts';
import { keyHash } from '../../../src/warehouse/sql/dialect.ts';
import { temporaryFolder } from '../../support/project.ts';
import { makeDatabase, makeSubject, mayMake } from './subject.ts';

async function inDuckdb(sql: string): Promise<unknown[]> {
  await using database = await openDatabase(':memory:', { memory: 1e9, temporary: await temporaryFolder() });
  return (await database.rows(sql)).flat();
}

it('knows what a column holds', () => {
  const typeOf = (type: string, precision = 0, scale = 0) => {
    const { name: _, ...column } = toColumn({ name: 'x', type, precision, scale });
    return column;
  };
  expect(typeOf('fixed', 18, 0)).toEqual({ type: 'integer', native: 'NUMBER(18,0)' });
  expect(typeOf('fixed', 38, 0)).toEqual({ type: 'decimal', native: 'NUMBER(38,0)', digits: [38, 0] });
  expect(typeOf('fixed', 10, 2)).toEqual({ type: 'decimal', native: 'NUMBER(10,2)', digits: [10, 2] });
  expect(typeOf('timestamp_ltz')).toEqual({ type: 'timestamp', native: 'TIMESTAMP_LTZ' });
  for (const other of ['variant', 'object', 'array', 'geography', 'geometry', 'vector', 'binary', 'time', 'map']) {
    expect(typeOf(other)).toEqual({ type: 'other', native: other.toUpperCase() });
  }
});

it('puts a double together from what was printed of it and what was not', async () => {
  const sum = 0.1 + 0.2;
  const value = fromText('t', { name: 't', type: 'float' });
  const texts = ['0.3 5.551115123125783e-17', String(sum), '-1e300', '3', 'inf', '-inf'];
  const values = await inDuckdb(`select ${value} from (values ${texts.map((text) => `('${text}')`).join(', ')}) texts(t)`);
  expect(values).toEqual([sum, sum, -1e300, 3, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
  expect(await inDuckdb(`select isnan(${value}) from (values ('NaN')) texts(t)`)).toEqual([true]);
});

it('writes any text as a literal', () => {
  expect(literal(`it's \\ "x"\n`)).toBe(`'it''s \\\\ "x"\n'`);
});

describe.skipIf(!mayMake())('on Snowflake', () => {
  it('hashes keys as every other warehouse does', async () => {
    const columns: [Column, string, string][] = [
      [{ name: 'n', type: 'integer', native: '' }, 'number(18,0)', 'bigint'],
      [{ name: 'd', type: 'decimal', native: '', digits: [12, 4] }, 'number(12,4)', 'decimal(12,4)'],
      [{ name: 's', type: 'string', native: '' }, 'varchar', 'varchar'],
      [{ name: 'day', type: 'date', native: '' }, 'date', 'date'],
      [{ name: 't', type: 'timestamp', native: '' }, 'timestamp_tz', 'timestamptz'],
      [{ name: 'w', type: 'datetime', native: '' }, 'timestamp_ntz', 'timestamp'],
      [{ name: 'b', type: 'bool', native: '' }, 'boolean', 'boolean'],
    ];
    const rows: (string | null)[][] = [
      ['1', '0.5', 'a', '2024-02-29', '2026-11-01 01:30:00.123456-05:00', '2026-11-01 01:30:00.1', 'true'],
      [
        '-999999999999999999',
        '-12.3400',
        'ü 漢 \u{1F600}',
        '1583-01-01',
        '1970-01-01 00:00:00+01:00',
        '1969-12-31 23:59:59',
        'false',
      ],
      ['0', '100', '', '2000-01-01', '2000-01-01 00:00:00+00:00', '2000-01-01 00:00:00', 'true'],
      [null, null, null, null, null, null, null],
    ];
    const query = (dialect: typeof DUCKDB, type: (column: (typeof columns)[number]) => string): string => {
      const keys = [...columns.map(([column]) => [column]), [columns[0], columns[2]].flatMap((found) => found?.[0] ?? [])];
      const tables = rows.map((row) => {
        const values = columns.map((column, i) => {
          const value = row[i] ?? null;
          const text = value === null ? 'null' : dialect.literal(value);
          return `cast(${text} as ${type(column)}) as ${dialect.identifier(column[0].name)}`;
        });
        return `select ${values.join(', ')}`;
      });
      const hashes = keys.map((key) => `cast(${keyHash(dialect, key)} as varchar)`);
      return `select ${hashes.join(', ')} from (${tables.join(' union all ')}) ordered`;
    };
    const { client } = await makeDatabase();
    const found = await client.use((session) => session.rows(query(SNOWFLAKE, ([, type]) => type)));
    const expected = await inDuckdb(query(DUCKDB, ([, , type]) => type));
    expect(found.flat()).toHaveLength(4 * 8);
    // Compared by sets: rows of a union have no order.
    expect([...new Set(found.flat())].sort()).toEqual([...new Set(expected.map(String))].sort());
  });

  it('divides without remainder, up to 60 bits', async () => {
    const { client } = await makeDatabase();
    const dividends = ['0', '1073741823', '1073741824', '1152921504606846975', '1152921504606846974'];
    const sql = `select ${dividends.map((value) => `cast(${SNOWFLAKE.quotient(value, '1073741824')} as varchar)`).join(', ')}`;
    expect(await client.use((session) => session.rows(sql))).toEqual([['0', '0', '1', '1073741823', '1073741823']]);
  });

  it('calls what it cannot carry `other`', async () => {
    const warehouse = (await makeSubject()).open();
    const sql = `select object_construct('a', 1) as o, to_binary('ab', 'HEX') as b, cast('10:00:00' as time) as t`;
    const schema = await warehouse.source.describe({ name: 'query', texts: [sql], parameters: [] });
    expect(schema.map(({ type }) => type)).toEqual(['other', 'other', 'other']);
    await warehouse.close();
  });
});

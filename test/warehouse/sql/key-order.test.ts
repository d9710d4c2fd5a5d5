import { expect, it } from 'vitest';
import type { Column } from '../../../src/domain/schema.ts';
import { isStagedAsText, stagedKey } from '../../../src/domain/staged-columns.ts';
import { canonicalText } from '../../../src/duckdb/canonical-text.ts';
import { literal } from '../../../src/duckdb/sql.ts';
import { DUCKDB } from '../../../src/warehouse/duckdb/dialect.ts';
import { keyOrder } from '../../../src/warehouse/sql/key-order.ts';
import { query } from '../../support/project.ts';

/** Values of a type in their order. */
interface Ordered {
  readonly type: Column['type'];
  readonly native: string;
  readonly digits?: Column['digits'];
  readonly values: readonly string[];
}

const ORDERED: readonly Ordered[] = [
  {
    type: 'integer',
    native: 'TINYINT',
    values: ['-128', '-9', '-10', '0', '9', '10', '127'].sort((a, b) => Number(a) - Number(b)),
  },
  { type: 'integer', native: 'BIGINT', values: ['-9223372036854775808', '-10', '-9', '9', '10', '9223372036854775807'] },
  { type: 'decimal', native: 'UBIGINT', digits: [38, 0], values: ['0', '9', '10', '18446744073709551615'] },
  { type: 'decimal', native: 'HUGEINT', digits: [38, 0], values: ['-100', '-99', '9', '10', '18446744073709551616'] },
  { type: 'decimal', native: 'DECIMAL(4,4)', digits: [4, 4], values: ['-0.5000', '-0.0625', '0.0000', '0.0625', '0.5000'] },
  {
    type: 'decimal',
    native: 'DECIMAL(38,9)',
    digits: [38, 9],
    values: ['-10.250000000', '-9.500000000', '9.500000000', '10.250000000'],
  },
  { type: 'bool', native: 'BOOLEAN', values: ['false', 'true'] },
  {
    type: 'uuid',
    native: 'UUID',
    values: [
      '00000000-0000-4000-7fff-000000000002',
      '00000000-0000-4000-8000-000000000001',
      '7fffffff-ffff-4fff-bfff-ffffffffffff',
      '80000000-0000-4000-8000-000000000000',
      'a0000000-0000-4000-8000-000000000000',
      'ffffffff-ffff-4fff-bfff-ffffffffffff',
    ],
  },
  {
    type: 'string',
    native: 'VARCHAR',
    values: ['', '10', '9', 'A', 'B', 'a', 'a b', 'aa', 'b', 'e\u0301', 'é', '\uFF21', '\u{1F600}'],
  },
  { type: 'string', native: 'VARCHAR COLLATE NOCASE', values: ['A', 'B', 'a', 'b'] },
  { type: 'string', native: `ENUM('b', 'a', 'B')`, values: ['B', 'a', 'b'] },
  {
    type: 'datetime',
    native: 'TIMESTAMP',
    values: ['0999-12-31 23:59:59.999999', '1969-12-31 23:59:59', '2026-11-26 09:00:00', '2026-11-26 09:00:00.000001'],
  },
  {
    type: 'timestamp',
    native: 'TIMESTAMP WITH TIME ZONE',
    values: ['0999-12-31 23:59:59+00', '1969-12-31 23:00:00+00', '1970-01-01 00:00:00+00'],
  },
];

/** What only DuckDB has: it is never staged as text. */
const ONLY_DUCKDB: readonly Ordered[] = [
  {
    type: 'date',
    native: 'DATE',
    values: ['-infinity', '0045-03-15 (BC)', '0044-03-15 (BC)', '0999-12-31', '1000-01-01', '10000-01-01', 'infinity'],
  },
  {
    type: 'datetime',
    native: 'TIMESTAMP',
    values: ['-infinity', '0044-03-15 (BC) 00:00:00', '9999-12-31 00:00:00', '10000-01-01 00:00:00', 'infinity'],
  },
];

const columnOf = ({ type, native, digits }: Ordered): Column => ({ name: 'k', type, native, ...(digits && { digits }) });

/** @returns the values by the order of keys, as text */
async function sorted(ordered: Ordered, stagesText: boolean): Promise<unknown[]> {
  const column = columnOf(ordered);
  const { native, values } = ordered;
  const [type = '', collation] = native.split(' COLLATE ');
  const value = `CAST(CAST(text AS VARCHAR) AS ${type})${collation === undefined ? '' : ` COLLATE ${collation}`}`;
  const staged = stagesText && isStagedAsText(column) ? canonicalText(value, column) : value;
  // Not in order as they are, whatever the order is.
  const list = values.toReversed().map((text) => `(${literal(text)})`);
  const rows = await query(
    ':memory:',
    `SELECT text FROM (SELECT text, ${staged} AS ${stagedKey(0)} FROM (VALUES ${list.join(', ')}) AS given(text))
     ORDER BY ${keyOrder(DUCKDB, [column], stagesText).join(', ')}`,
  );
  return rows.map(({ text }) => text);
}

for (const ordered of [...ORDERED, ...ONLY_DUCKDB])
  it(`orders keys that are ${ordered.native}, ${ordered.values[0]} first`, async () => {
    expect(await sorted(ordered, false)).toEqual(ordered.values);
  });

for (const ordered of ORDERED)
  it(`orders them the same once they are staged as text: ${ordered.native}`, async () => {
    expect(await sorted(ordered, true)).toEqual(ordered.values);
  });

it('orders the parts of a key one after the other', () => {
  const key: Column[] = [
    { name: 'a', type: 'decimal', native: 'DECIMAL(10,2)', digits: [10, 2] },
    { name: 'b', type: 'date', native: 'DATE' },
  ];
  expect(keyOrder(DUCKDB, key, true)).toEqual(['CAST(key_0 AS DECIMAL(10,2))', 'key_1']);
  expect(keyOrder(DUCKDB, key, false)).toEqual(['key_0', 'key_1']);
});

it('has no order for what can be no key', () => {
  expect(() => keyOrder(DUCKDB, [{ name: 'ratio', type: 'float', native: 'DOUBLE' }], false)).toThrow('ratio is DOUBLE');
});

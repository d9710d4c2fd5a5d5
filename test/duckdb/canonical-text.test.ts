import { expect, it } from 'vitest';
import { canonicalText } from '../../src/duckdb/canonical-text.ts';
import { query } from '../support/project.ts';

// What the other warehouses write too; BigQuery and Snowflake have a digit before the point where DuckDB has none.
it.each<[expression: string, digits: readonly [number, number], text: string]>([
  ['0', [4, 4], '0'],
  ['0.25', [4, 4], '0.25'],
  ['-0.2500', [4, 4], '-0.25'],
  ['0', [38, 38], '0'],
  ['-0.0001', [18, 4], '-0.0001'],
  ['100.00', [10, 2], '100'],
  ['0.00', [10, 2], '0'],
  ['1000', [10, 0], '1000'],
])('%s with digits %j is %s', async (expression, digits, text) => {
  const value = `CAST(${expression} AS DECIMAL(${digits.join(', ')}))`;
  expect(await query(':memory:', `SELECT ${canonicalText(value, { type: 'decimal', digits })} AS text`)).toEqual([{ text }]);
});

it.each([
  ["timestamp '0001-01-01 00:00:00'", 'datetime', '0001-01-01 00:00:00.000000'],
  ["timestamp '1969-12-31 23:59:59.5'", 'datetime', '1969-12-31 23:59:59.500000'],
  ["timestamptz '2026-11-01 01:30:00-05'", 'timestamp', '2026-11-01 06:30:00.000000'],
  ['true', 'bool', 'true'],
  ["date '1583-01-01'", 'date', '1583-01-01'],
] as const)('%s is %s', async (expression, type, text) => {
  const [row] = await query(':memory:', `SELECT ${canonicalText(expression, { type })} AS text`);
  expect(row).toEqual({ text });
});

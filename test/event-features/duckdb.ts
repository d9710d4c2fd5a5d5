import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll } from 'vitest';
import type { EventFeatures, FieldType, FieldValue } from '../../src/event-features/definition.ts';
import { eventSql } from '../../src/event-features/sql/event-sql.ts';
import { bindWindow } from '../../src/job/parameters.ts';
import { renderQuery } from '../../src/warehouse/duckdb/query.ts';
import { windowOf } from '../../src/window/window.ts';
import { rowText } from './logs.ts';

const TYPES: Readonly<Record<FieldType, string>> = { string: 'varchar', int64: 'bigint', float64: 'double', bool: 'boolean' };

export interface EventTable {
  /** Runs the compiled SQL over rows of fields and log columns. @returns rows as texts, sorted */
  read(features: EventFeatures, rows: readonly (readonly FieldValue[])[], window: readonly [number, number]): Promise<string[]>;
}

/** A DuckDB in memory for the tests of a file. */
export function eventTable(): EventTable {
  let instance: DuckDBInstance;
  let connection: Awaited<ReturnType<DuckDBInstance['connect']>>;
  beforeAll(async () => {
    instance = await DuckDBInstance.create(':memory:', { threads: '1' });
    connection = await instance.connect();
  });
  afterAll(() => {
    connection.closeSync();
    instance.closeSync();
  });
  return {
    read: async (features, rows, [start, end]) => {
      const { fields, log } = features;
      const columns = [
        ...fields.map(({ name, type }) => `"${name}" ${TYPES[type]}`),
        ...(log === undefined ? [] : [log.partition, log.offset, log.timestamp].map((name) => `"${name}" bigint`)),
      ];
      await connection.run(`create or replace table events (${columns.join(', ')})`);
      if (rows.length > 0) await connection.run(`insert into events values ${rows.map(valuesOf).join(', ')}`);
      const text = eventSql(features, { table: ['events'], kind: 'duckdb' });
      const { sql, values } = renderQuery(bindWindow(text, windowOf(start, end, 'UTC'), 'test', 'duckdb'));
      const found = await connection.runAndReadAll(sql, values as Record<string, string>);
      return found.getRowsJson().map(rowText).sort();
    },
  };
}

function valuesOf(row: readonly FieldValue[]): string {
  const literals = row.map((value) => {
    if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`;
    return typeof value === 'number' && !Number.isInteger(value) ? `cast('${value}' as double)` : String(value);
  });
  return `(${literals.join(', ')})`;
}

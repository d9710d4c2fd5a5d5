import { BATCH_ROWS } from '../../domain/column-batch.ts';
import { REJECTED_ROW, REJECTED_ROWS, rejectedValue } from '../../domain/rejected-rows.ts';
import type { Column } from '../../domain/schema.ts';
import type { TableColumn } from '../../domain/tables.ts';
import { type AppendedColumn, type ColumnAppender, openColumnAppender } from '../../duckdb/append-columns.ts';
import { columnCast } from '../../duckdb/cast-column.ts';
import type { Database } from '../../duckdb/database.ts';
import { pickRows } from '../../duckdb/picked-rows.ts';
import { duckdbType } from '../../duckdb/types.ts';
import type { ChunkColumns, FedBatch } from '../feeding.ts';
import type { Connection } from './connection.ts';
import { readRows, type TableRead } from './read.ts';

/** Reads a table with `readRows` and yields the features of its rows; see `FeedingSource`. */
export async function* feedRows(
  connection: Connection,
  database: Database,
  read: Omit<TableRead, 'columns' | 'others'>,
  { passed, features, kinds }: ChunkColumns,
): AsyncGenerator<FedBatch> {
  const columns = distinct(passed).map(readable);
  const others = distinct(features)
    .filter((column) => placeOf(columns, column) < 0)
    .map(readable);
  const places = features.map((column) => placeOf([...columns, ...others], column));
  const casts = features.map((column, i) => columnCast(column, kinds[i] ?? 'string', BATCH_ROWS));
  let current = 0;
  let first = 0;
  let rejected: ColumnAppender | undefined;
  try {
    for await (const { attempt, rows, columns: all } of readRows(connection, database, { ...read, columns, others })) {
      if (attempt !== current) {
        rejected?.close();
        rejected = await openRejected(database, features);
        current = attempt;
        first = 0;
      }
      const values = places.map((place) => all[place] as AppendedColumn);
      for (let start = 0; start < rows; start += BATCH_ROWS) {
        const count = Math.min(BATCH_ROWS, rows - start);
        const before = first;
        yield {
          rows: count,
          columns: casts.map((cast, i) => cast(values[i] as AppendedColumn, start, count)),
          begins: before + start === 0,
          keep: (positions) =>
            keep(
              rejected,
              values,
              before,
              positions.map((position) => start + position),
            ),
        };
      }
      first += rows;
    }
  } finally {
    rejected?.close();
  }
}

async function openRejected(database: Database, features: readonly Column[]): Promise<ColumnAppender> {
  const values = features.map((column, i) => `${rejectedValue(i)} ${duckdbType(readable(column))}`);
  await database.run(`CREATE OR REPLACE TEMP TABLE ${REJECTED_ROWS} (${[`${REJECTED_ROW} BIGINT`, ...values].join(', ')})`);
  return await openColumnAppender(database, REJECTED_ROWS);
}

/** @param values of the rows that were read @param first number of the first one @param rows positions among them */
function keep(
  rejected: ColumnAppender | undefined,
  values: readonly AppendedColumn[],
  first: number,
  rows: readonly number[],
): void {
  if (rows.length === 0) return;
  const numbers = BigInt64Array.from(rows, (row) => BigInt(first + row));
  const numbered: AppendedColumn = { kind: 'fixed', width: 8, bytes: new Uint8Array(numbers.buffer), valid: undefined };
  rejected?.append(rows.length, [numbered, ...values.map((column) => pickRows(column, rows))]);
}

/** @throws TypeError for an unsupported column, which the plan refuses */
function readable({ name, type, digits }: Column): TableColumn {
  if (type === 'other') throw new TypeError(`the column ${name} cannot be read`);
  return { name, type, ...(digits && { digits }) };
}

function distinct(columns: readonly Column[]): Column[] {
  return columns.filter((column, i) => placeOf(columns, column) === i);
}

/** BigQuery's column names are case-insensitive. */
function placeOf(columns: readonly Pick<Column, 'name'>[], { name }: Pick<Column, 'name'>): number {
  const folded = name.toLowerCase();
  return columns.findIndex((other) => other.name.toLowerCase() === folded);
}

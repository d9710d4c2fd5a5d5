import type { ColumnBatch } from '../../domain/column-batch.ts';
import { PHYSICAL_TYPE, readBatches } from '../../duckdb/batches.ts';
import { identifier, literal, tableIdentifier } from '../../duckdb/sql.ts';
import type { PublishedColumn, PublishedRows } from '../warehouse.ts';
import { duckdbError } from './errors.ts';
import { type DuckdbFile, openFile } from './file.ts';

/** Ranks per range. Publish inserts in this order, so a range lies in few row groups and the others are skipped. */
const RANGE = 122_880;

export async function* readPublished(file: DuckdbFile, spec: PublishedRows): AsyncGenerator<ColumnBatch> {
  await using database = await openFile(file, 'read');
  const list = spec.columns.map(selected).join(', ');
  try {
    for (let first = 1; first <= spec.rows; first += RANGE) {
      yield* readBatches(
        database,
        `SELECT ${list} FROM ${tableIdentifier(spec.table.name)}
         WHERE job = ${literal(spec.job)} AND run_id = ${literal(spec.runId)}
           AND window_start = CAST(${literal(spec.window.start)} AS TIMESTAMPTZ)
           AND rank BETWEEN ${first} AND ${first + RANGE - 1}
         ORDER BY rank`,
      );
    }
  } catch (error) {
    throw duckdbError(error, file.path);
  }
}

function selected({ column, kind }: PublishedColumn): string {
  const name = identifier(column.name);
  const value = column.type === 'timestamp' || column.type === 'datetime' ? `epoch_us(${name})` : name;
  return `CAST(${value} AS ${PHYSICAL_TYPE[kind]})`;
}

import type { TableLayout } from '../../domain/tables.ts';
import { duckdbError } from '../../duckdb/errors.ts';
import { literal, tableIdentifier } from '../../duckdb/sql.ts';
import type { PublishedRows, RenderedRange } from '../warehouse.ts';
import { type DuckdbFile, openFile } from './file.ts';
import { inCatalog } from './tables.ts';

/** Ranks per range, a row group's size. Publish inserts in this order, so a range lies in few row groups. */
const RANGE = 122_880;

export async function* readPublished(file: DuckdbFile, spec: PublishedRows): AsyncGenerator<RenderedRange> {
  await using database = await openFile(file, 'read');
  for (let first = 1; first <= spec.rows; first += RANGE) {
    const last = Math.min(first + RANGE - 1, spec.rows);
    try {
      const [row] = await database.rows(selectRange(inCatalog(database, spec.table), spec, first, last));
      const [rows, ranks, lines] = row ?? [];
      yield { complete: Number(rows) === last - first + 1 && Number(ranks) === last - first + 1, lines: bytesOf(lines) };
    } catch (error) {
      throw duckdbError(error, file.path);
    }
  }
}

/** The lines of a range as one value: a value at a time they would cost more than the rest of the run. */
function selectRange(table: TableLayout, { job, runId, window, line }: PublishedRows, first: number, last: number): string {
  return `SELECT count(*), count(DISTINCT rank), encode(string_agg(${line}, '' ORDER BY rank))
    FROM ${tableIdentifier(table.name)}
    WHERE job = ${literal(job)} AND run_id = ${literal(runId)} AND window_start = CAST(${literal(window.start)} AS TIMESTAMPTZ)
      AND rank BETWEEN ${first} AND ${last}`;
}

function bytesOf(value: unknown): Uint8Array {
  if (typeof value === 'object' && value !== null && 'bytes' in value) return value.bytes as Uint8Array;
  return new Uint8Array();
}

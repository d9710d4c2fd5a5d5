import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { openDatabase } from '../../duckdb/database.ts';
import { type RenderedRange, renderRanges } from '../../duckdb/render.ts';
import { identifier } from '../../duckdb/sql.ts';
import { instant } from '../sql/dialect.ts';
import type { PublishedRows } from '../warehouse.ts';
import type { Connection } from './connection.ts';
import { BIGQUERY } from './dialect.ts';
import { bigqueryError } from './errors.ts';
import { fullName } from './names.ts';
import { readTable } from './read.ts';
import { workFolder } from './work-folder.ts';

/** Reads the run's rows once, into a DuckDB in memory that spills to disk, and renders them there as every warehouse's are. */
export async function* readPublished(connection: Connection, spec: PublishedRows): AsyncGenerator<RenderedRange> {
  const { literal } = BIGQUERY;
  const table = fullName(spec.table.name, connection.home);
  const conditions = [
    `job = ${literal(spec.job)}`,
    `run_id = ${literal(spec.runId)}`,
    `window_start = ${instant(BIGQUERY, spec.window.start)}`,
  ];
  // A column's name in the line may be a text that only looks like it; such a column is read for nothing.
  const columns = spec.table.columns.filter(({ name }) => name === 'rank' || spec.line.includes(identifier(name)));
  const temporary = await workFolder(connection, `${spec.runId}-${randomBytes(4).toString('hex')}`);
  try {
    await using database = await openDatabase(':memory:', { memory: connection.memory, temporary, signal: connection.signal });
    if (spec.rows > 0) {
      await readTable(connection, database, { table, columns, restriction: conditions.join(' AND '), into: 'published' });
    }
    yield* renderRanges(database, { from: 'published' }, spec.line, spec.rows);
  } catch (error) {
    connection.signal.throwIfAborted();
    throw bigqueryError(error);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

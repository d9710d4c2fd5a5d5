import { type RenderedRange, renderLoaded } from '../../duckdb/render.ts';
import { instant } from '../sql/dialect.ts';
import type { PublishedRows } from '../warehouse.ts';
import type { Connection } from './connection.ts';
import { BIGQUERY } from './dialect.ts';
import { bigqueryError } from './errors.ts';
import { fullName } from './names.ts';
import { readTable } from './read.ts';
import { getTable } from './rest-tables.ts';

/** Reads the run's rows once into an in-memory DuckDB, which renders them as for every warehouse. */
export async function* readPublished(connection: Connection, spec: PublishedRows): AsyncGenerator<RenderedRange> {
  const { literal } = BIGQUERY;
  const { memory, signal } = connection;
  const { lines, parquet, rows } = spec;
  const table = fullName(spec.table.name, connection.home);
  const restriction = [
    `job = ${literal(spec.job)}`,
    `run_id = ${literal(spec.runId)}`,
    `window_start = ${instant(BIGQUERY, spec.window.start)}`,
  ].join(' AND ');
  try {
    yield* renderLoaded({
      memory,
      signal,
      ...{ lines, parquet, rows },
      columns: spec.table.columns,
      load: async (database, columns) => {
        const spelled = (await getTable(connection, table))?.schema?.fields?.map(({ name }) => name) ?? [];
        await readTable(connection, database, { table, columns, spelled, restriction, into: 'published' });
      },
    });
  } catch (error) {
    signal.throwIfAborted();
    throw bigqueryError(error, 'reading the published scores');
  }
}

import { tmpdir } from 'node:os';
import { duckdbError } from '../../duckdb/errors.ts';
import { type RenderedRange, renderLoaded } from '../../duckdb/render.ts';
import { instant } from '../sql/dialect.ts';
import type { PublishedRows } from '../warehouse.ts';
import { SNOWFLAKE } from './dialect.ts';
import { tableIdentifier } from './names.ts';
import { queryTag } from './session.ts';
import { inAccount, type Snowflake, translated } from './snowflake.ts';
import { readInto } from './transfer.ts';

/** Reads the run's rows once into an in-memory DuckDB, which renders them as for every warehouse. */
export async function* readPublished(snowflake: Snowflake, spec: PublishedRows): AsyncGenerator<RenderedRange> {
  const { name, columns } = inAccount(snowflake, spec.table);
  const { literal } = SNOWFLAKE;
  const { client, job, memory, signal } = snowflake;
  const { lines, parquet, rows } = spec;
  const from = `${tableIdentifier(name)}
    WHERE job = ${literal(spec.job)} AND run_id = ${literal(spec.runId)} AND window_start = ${instant(SNOWFLAKE, spec.window.start)}`;
  try {
    yield* renderLoaded({
      memory,
      signal,
      ...{ lines, parquet, rows },
      columns,
      load: (database, needed) =>
        translated(
          snowflake,
          async () => {
            const statement = { tag: queryTag(job, spec.runId) };
            await client.use((session) =>
              readInto(database, { relation: 'published', columns: needed }, session, { from, ...statement }),
            );
          },
          'reading the published scores',
        ),
    });
  } catch (error) {
    throw duckdbError(error, tmpdir());
  }
}

import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { openDatabase } from '../../duckdb/database.ts';
import { duckdbError } from '../../duckdb/errors.ts';
import { type RenderedRange, renderRanges } from '../../duckdb/render.ts';
import { identifier } from '../../duckdb/sql.ts';
import { instant } from '../sql/dialect.ts';
import type { PublishedRows } from '../warehouse.ts';
import { SNOWFLAKE } from './dialect.ts';
import { tableIdentifier } from './names.ts';
import { queryTag } from './session.ts';
import { inAccount, type Snowflake, translated } from './snowflake.ts';
import { readInto } from './transfer.ts';

/** Reads the run's rows once into a DuckDB in memory, which renders them as it does for every warehouse. */
export async function* readPublished(snowflake: Snowflake, spec: PublishedRows): AsyncGenerator<RenderedRange> {
  const { name, columns } = inAccount(snowflake, spec.table);
  const { literal } = SNOWFLAKE;
  const needed = columns.filter((column) => column.name === 'rank' || spec.line.includes(identifier(column.name)));
  const from = `${tableIdentifier(name)}
    WHERE job = ${literal(spec.job)} AND run_id = ${literal(spec.runId)} AND window_start = ${instant(SNOWFLAKE, spec.window.start)}`;
  const temporary = await mkdtemp(path.join(os.tmpdir(), 'score-batch-'));
  try {
    await using database = await openDatabase(':memory:', { memory: snowflake.memory, temporary, signal: snowflake.signal });
    await translated(snowflake, () =>
      snowflake.client.use((session) =>
        readInto(database, 'published', needed, session, from, { tag: queryTag(snowflake.job, spec.runId) }),
      ),
    );
    yield* renderRanges(database, { from: 'published' }, spec.line, spec.rows);
  } catch (error) {
    throw duckdbError(error, temporary);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

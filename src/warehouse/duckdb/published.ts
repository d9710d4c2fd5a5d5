import { duckdbError } from '../../duckdb/errors.ts';
import { type RenderedRange, renderRanges } from '../../duckdb/render.ts';
import { instant } from '../sql/dialect.ts';
import type { PublishedRows } from '../warehouse.ts';
import { DUCKDB } from './dialect.ts';
import { closeSharing, type DuckdbFile, openFile } from './file.ts';
import { inCatalog } from './tables.ts';
import { takeTurn } from './turns.ts';

/** Publish inserts in rank order, so a range of ranks is in few row groups. */
export async function* readPublished(file: DuckdbFile, spec: PublishedRows): AsyncGenerator<RenderedRange> {
  using _turn = await takeTurn(file.path);
  // Closing the shared reader later would drop this one's lock, too.
  await closeSharing(file);
  await using database = await openFile(file, 'read');
  const { literal, table } = DUCKDB;
  const relation = {
    from: table(inCatalog(database, spec.table).name),
    where: `job = ${literal(spec.job)} AND run_id = ${literal(spec.runId)} AND window_start = ${instant(DUCKDB, spec.window.start)}`,
  };
  try {
    yield* renderRanges(database, relation, spec);
  } catch (error) {
    throw duckdbError(error, file.path);
  }
}

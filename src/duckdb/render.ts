import { tmpdir } from 'node:os';
import type { TableColumn } from '../domain/tables.ts';
import { type Database, openDatabase } from './database.ts';
import { identifier } from './sql.ts';

/** Lines of the ranks `first` to `first + rows - 1`, in order. */
export interface RenderedRange {
  /** Whether every rank of the range was there exactly once. */
  readonly complete: boolean;
  readonly lines: Uint8Array;
}

/** Ranks per range: a row group's size. */
const RANGE = 122_880;

/**
 * Renders rows in the order of their column `rank`, a range of ranks at a time: no sort of all rows, however many.
 *
 * @param relation what stands after FROM, with a condition if need be: `scores WHERE run_id = '…'`
 * @param line expression that gives a row's line
 * @param rows number of rows; ranks go from 1 to this
 */
export async function* renderRanges(
  database: Database,
  relation: { readonly from: string; readonly where?: string },
  line: string,
  rows: number,
): AsyncGenerator<RenderedRange> {
  for (let first = 1; first <= rows; first += RANGE) {
    const last = Math.min(first + RANGE - 1, rows);
    const condition = [...(relation.where === undefined ? [] : [relation.where]), `rank BETWEEN ${first} AND ${last}`];
    // The lines as one value: a value at a time they would cost more than the rest of the run.
    const [row] = await database.rows(
      `SELECT count(*), count(DISTINCT rank), encode(string_agg(${line}, '' ORDER BY rank)) FROM ${relation.from}
       WHERE ${condition.join(' AND ')}`,
    );
    const [count, ranks, lines] = row ?? [];
    yield { complete: Number(count) === last - first + 1 && Number(ranks) === last - first + 1, lines: bytesOf(lines) };
  }
}

export interface LoadedRows {
  /** Bytes that DuckDB may use; what does not fit goes to the machine's folder for temporary files. */
  readonly memory: number;
  readonly signal: AbortSignal;
  /** See `renderRanges`. */
  readonly line: string;
  readonly rows: number;
  /** Columns of the table that the line is of. */
  readonly columns: readonly TableColumn[];
  /** Puts the rows into a temporary table `published` with these columns, in any order. */
  load(database: Database, columns: readonly TableColumn[]): Promise<void>;
}

/** Renders rows that come from elsewhere: they are loaded once, and then read by ranges of ranks. */
export async function* renderLoaded({ memory, signal, line, rows, columns, load }: LoadedRows): AsyncGenerator<RenderedRange> {
  if (rows === 0) return;
  // A name in the line may be a text that only looks like a column; such a column is loaded for nothing.
  const needed = columns.filter(({ name }) => name === 'rank' || line.includes(identifier(name)));
  await using database = await openDatabase(':memory:', { memory, temporary: tmpdir(), signal });
  await load(database, needed);
  yield* renderRanges(database, { from: 'published' }, line, rows);
}

function bytesOf(value: unknown): Uint8Array {
  if (typeof value === 'object' && value !== null && 'bytes' in value) return value.bytes as Uint8Array;
  return new Uint8Array();
}

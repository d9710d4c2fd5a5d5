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
/** Ranges per query: one thread renders a row group, and memory holds the lines of all. */
const SIDE_BY_SIDE = 2;

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
  const ranges = Math.ceil(rows / RANGE);
  for (let first = 0; first < ranges; first += SIDE_BY_SIDE) {
    const end = Math.min(first + SIDE_BY_SIDE, ranges);
    const condition = [
      ...(relation.where === undefined ? [] : [relation.where]),
      `rank BETWEEN ${first * RANGE + 1} AND ${Math.min(end * RANGE, rows)}`,
    ];
    // The lines as one value: a value at a time they would cost more than the rest of the run. Distinct ranks are counted as
    // bits, which costs a third of counting them as values.
    const found = await database.rows(
      `SELECT (rank - 1) // ${RANGE} AS part, count(*), bit_count(bitstring_agg(CAST((rank - 1) % ${RANGE} AS INTEGER), 0, ${RANGE - 1})),
         encode(string_agg(${line}, '' ORDER BY rank))
       FROM ${relation.from} WHERE ${condition.join(' AND ')} GROUP BY part`,
    );
    const parts = new Map(found.map(([part, ...values]) => [Number(part), values]));
    for (let part = first; part < end; part += 1) {
      const [count, ranks, lines] = parts.get(part) ?? [];
      const expected = Math.min(RANGE, rows - part * RANGE);
      yield { complete: Number(count) === expected && Number(ranks) === expected, lines: bytesOf(lines) };
    }
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

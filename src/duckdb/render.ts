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
/** Bytes of the lines of a range, about: where lines are long, it has fewer ranks. */
const RANGE_BYTES = 8 * 2 ** 20;
/** Ranks by which the length of the first lines is told. */
const SAMPLE = 2_048;

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
  const between = (first: number, end: number) =>
    [...(relation.where === undefined ? [] : [relation.where]), `rank BETWEEN ${first + 1} AND ${end}`].join(' AND ');
  let range = RANGE;
  const resize = (bytes: number, ranks: number) => {
    range = Math.max(1, Math.min(RANGE, Math.floor((RANGE_BYTES * ranks) / Math.max(1, bytes))));
  };
  const [sample] = await database.rows(
    `SELECT CAST(sum(strlen(${line})) AS BIGINT) FROM ${relation.from} WHERE ${between(0, Math.min(SAMPLE, rows))}`,
  );
  resize(Number(sample?.[0] ?? 0), Math.min(SAMPLE, rows));
  for (let first = 0; first < rows; ) {
    const end = Math.min(first + SIDE_BY_SIDE * range, rows);
    // The lines as one value: a value at a time they would cost more than the rest of the run. Distinct ranks are counted as
    // bits, which costs a third of counting them as values.
    const found = await database.rows(
      `SELECT (rank - 1 - ${first}) // ${range} AS score_batch_part, count(*),
         bit_count(bitstring_agg(CAST((rank - 1 - ${first}) % ${range} AS INTEGER), 0, ${range - 1})),
         encode(string_agg(${line}, '' ORDER BY rank))
       FROM ${relation.from} WHERE ${between(first, end)} GROUP BY score_batch_part`,
    );
    const parts = new Map(found.map(([part, ...values]) => [Number(part), values]));
    let bytes = 0;
    for (let part = 0; first + part * range < end; part += 1) {
      const [count, ranks, lines] = parts.get(part) ?? [];
      const expected = Math.min(range, end - first - part * range);
      const rendered = bytesOf(lines);
      bytes += rendered.length;
      yield { complete: Number(count) === expected && Number(ranks) === expected, lines: rendered };
    }
    resize(bytes, end - first);
    first = end;
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

import { tmpdir } from 'node:os';
import type { TableColumn } from '../domain/tables.ts';
import { type Database, openDatabase } from './database.ts';
import { identifier } from './sql.ts';

/** Lines of consecutive ranks, in order. */
export interface RenderedRange {
  /** Whether every rank of the range occurred exactly once. */
  readonly complete: boolean;
  readonly lines: Uint8Array;
}

/** Maximum ranks per range: the size of a row group. */
const RANGE = 122_880;
/** Ranges per query: one thread renders a row group, and memory holds the lines of all. */
const RANGES_PER_QUERY = 2;
/** Approximate bytes per range. If lines are long, it has fewer ranks. */
const RANGE_BYTES = 8 * 2 ** 20;
/** Number of ranks for estimating the length of lines. */
const SAMPLE = 2_048;

/**
 * Renders rows in the order of their column `rank`, one range of ranks at a time, so that rows need not be sorted all at once.
 *
 * @param relation the FROM clause, and an optional condition
 * @param line expression for a row's line
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
    const end = Math.min(first + RANGES_PER_QUERY * range, rows);
    // Fetches the lines as one value: fetching each line would cost more than the rest of the run. Counting distinct ranks as
    // bits costs a third of counting them as values.
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
  /** Bytes that DuckDB may use before it spills to the system's temporary folder. */
  readonly memory: number;
  readonly signal: AbortSignal;
  /** See `renderRanges`. */
  readonly line: string;
  readonly rows: number;
  /** Columns of the rendered table. */
  readonly columns: readonly TableColumn[];
  /** Loads the rows into a temporary table `published` with the given columns, in any order. */
  load(database: Database, columns: readonly TableColumn[]): Promise<void>;
}

/** Renders rows of another warehouse. Loads them once, then reads them by ranges of ranks. */
export async function* renderLoaded({ memory, signal, line, rows, columns, load }: LoadedRows): AsyncGenerator<RenderedRange> {
  if (rows === 0) return;
  // A text in the line may look like a column name. Such a column is loaded unnecessarily, which is harmless.
  const needed = columns.filter(({ name }) => name === 'rank' || line.includes(identifier(name)));
  await using database = await openDatabase(':memory:', { memory, temporary: tmpdir(), signal });
  await load(database, needed);
  yield* renderRanges(database, { from: 'published' }, line, rows);
}

function bytesOf(value: unknown): Uint8Array {
  if (typeof value === 'object' && value !== null && 'bytes' in value) return value.bytes as Uint8Array;
  return new Uint8Array();
}

import { tmpdir } from 'node:os';
import type { TableColumn } from '../domain/tables.ts';
import { type Database, openDatabase } from './database.ts';
import { type ParquetFile, writeParquet } from './parquet.ts';
import { identifier } from './sql.ts';
import { duckdbType } from './types.ts';

/** How to render rows. */
export interface Rendering {
  /** Expressions for the line of a row, one per file of lines. */
  readonly lines: readonly string[];
  /** Written after all ranges, unless the caller stops earlier. */
  readonly parquet?: ParquetFile | undefined;
  /** Number of rows; ranks go from 1 to this. */
  readonly rows: number;
}

/** Lines of consecutive ranks, in order. */
export interface RenderedRange {
  /** Whether every rank of the range occurred exactly once. */
  readonly complete: boolean;
  /** One text for each of `Rendering.lines`. */
  readonly lines: readonly Uint8Array[];
}

/** Maximum ranks per range: the size of a row group. */
const RANGE = 122_880;
/** Ranges per query: one thread renders a row group, and the lines of all ranges are held in memory. */
const RANGES_PER_QUERY = 2;
/** Approximate bytes per range, for all files. Long lines mean fewer ranks per range. */
const RANGE_BYTES = 8 * 2 ** 20;
/** Number of ranks for estimating the length of lines. */
const SAMPLE = 2_048;

/**
 * Renders rows in the order of their column `rank`, one range of ranks at a time, so that rows need not be sorted all at once.
 *
 * @param relation the FROM clause, and an optional condition
 */
export async function* renderRanges(
  database: Database,
  relation: { readonly from: string; readonly where?: string },
  { lines, parquet, rows }: Rendering,
): AsyncGenerator<RenderedRange> {
  const condition = relation.where === undefined ? [] : [relation.where];
  const between = (first: number, end: number) => [...condition, `rank BETWEEN ${first + 1} AND ${end}`].join(' AND ');
  let range = RANGE;
  const resize = (bytes: number, ranks: number) => {
    range = Math.max(1, Math.min(RANGE, Math.floor((RANGE_BYTES * ranks) / Math.max(1, bytes))));
  };
  const length = ['0', ...lines.map((line) => `strlen(${line})`)].join(' + ');
  const texts = lines.map((line) => `, encode(string_agg(${line}, '' ORDER BY rank))`).join('');
  const [sample] = await database.rows(
    `SELECT CAST(sum(${length}) AS BIGINT) FROM ${relation.from} WHERE ${between(0, Math.min(SAMPLE, rows))}`,
  );
  resize(Number(sample?.[0] ?? 0), Math.min(SAMPLE, rows));
  for (let first = 0; first < rows; ) {
    const end = Math.min(first + RANGES_PER_QUERY * range, rows);
    // Fetches the lines as one value: fetching each line would cost more than the rest of the run. Counting distinct ranks as
    // bits costs a third of counting them as values.
    const found = await database.rows(
      `SELECT (rank - 1 - ${first}) // ${range} AS score_batch_part, count(*),
         bit_count(bitstring_agg(CAST((rank - 1 - ${first}) % ${range} AS INTEGER), 0, ${range - 1}))
         ${texts}
       FROM ${relation.from} WHERE ${between(first, end)} GROUP BY score_batch_part`,
    );
    const parts = new Map(found.map(([part, ...values]) => [Number(part), values]));
    let bytes = 0;
    for (let part = 0; first + part * range < end; part += 1) {
      const [count, ranks, ...values] = parts.get(part) ?? [];
      const expected = Math.min(range, end - first - part * range);
      const rendered = lines.map((_, i) => bytesOf(values[i]));
      bytes += rendered.reduce((sum, { length }) => sum + length, 0);
      yield { complete: Number(count) === expected && Number(ranks) === expected, lines: rendered };
    }
    resize(bytes, end - first);
    first = end;
  }
  if (parquet) await writeParquet(database, [relation.from, ...condition].join(' WHERE '), parquet);
}

export interface LoadedRows extends Rendering {
  /** Bytes that DuckDB may use before it spills to the system's temporary folder. */
  readonly memory: number;
  readonly signal: AbortSignal;
  /** Columns of the rendered table. */
  readonly columns: readonly TableColumn[];
  /** Loads the rows into a temporary table `published` with the given columns, in any order. */
  load(database: Database, columns: readonly TableColumn[]): Promise<void>;
}

/** Renders rows of another warehouse. Loads them once, then reads them by ranges of ranks. */
export async function* renderLoaded({
  memory,
  signal,
  columns,
  load,
  ...rendering
}: LoadedRows): AsyncGenerator<RenderedRange> {
  const { lines, parquet, rows } = rendering;
  if (rows === 0 && parquet === undefined) return;
  const inParquet = parquet?.columns.map(({ name }) => name) ?? [];
  // A string in a line may look like a column name. Such a column is loaded unnecessarily, which is harmless.
  const needed = columns.filter(
    ({ name }) => name === 'rank' || inParquet.includes(name) || lines.some((line) => line.includes(identifier(name))),
  );
  await using database = await openDatabase(':memory:', { memory, temporary: tmpdir(), signal });
  if (rows > 0) await load(database, needed);
  else
    await database.run(
      `CREATE TABLE published (${needed.map((column) => `${identifier(column.name)} ${duckdbType(column)}`).join(', ')})`,
    );
  yield* renderRanges(database, { from: 'published' }, rendering);
}

function bytesOf(value: unknown): Uint8Array {
  if (typeof value === 'object' && value !== null && 'bytes' in value) return value.bytes as Uint8Array;
  return new Uint8Array();
}

import type { Database } from './database.ts';

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

function bytesOf(value: unknown): Uint8Array {
  if (typeof value === 'object' && value !== null && 'bytes' in value) return value.bytes as Uint8Array;
  return new Uint8Array();
}

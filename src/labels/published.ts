import type { LedgerEntry, LedgerWindow } from '../domain/ledger.ts';
import type { Column } from '../domain/schema.ts';
import type { TableColumn, TableLayout } from '../domain/tables.ts';
import type { Segment } from '../evaluation/rows.ts';
import type { Dialect } from '../warehouse/dialect.ts';
import type { TextRow } from '../warehouse/reader.ts';
import { instant, keyHash } from '../warehouse/sql/dialect.ts';
import type { Sink } from '../warehouse/warehouse.ts';
import { isInPartition, type Partition } from './select.ts';

const MILLION = 1_000_000;

/** The published scores of a window: which rows of which table, and their columns by role. */
export interface PublishedScores {
  /** The scores table in the wide layout, with the columns that the publication wrote. */
  readonly table: TableLayout;
  readonly entry: Pick<LedgerEntry, 'job' | 'runId'> & { readonly window: LedgerWindow };
  readonly key: readonly TableColumn[];
  readonly score: string;
  readonly segments: readonly TableColumn[];
}

/** A row of a partition: key hash, score in millionths, decile, and the values of the segments. */
export type PublishedRow = TextRow;

export async function readScores(sink: Sink, scores: PublishedScores, partition: Partition): Promise<readonly PublishedRow[]> {
  return await select(sink, scores, (dialect, from) => {
    const text = (expression: string) => `CAST(${expression} AS ${dialect.type({ type: 'string' })})`;
    const integer = dialect.type({ type: 'integer' });
    const segments = scores.segments.map((column, i) => `${segmentText(dialect, column)} AS segment_${i}`);
    const score = `CAST(${dialect.identifier(scores.score)} * ${MILLION} AS ${integer})`;
    const key = scores.key.map((column): Column => ({ ...column, native: column.type }));
    const read = `SELECT ${[`${keyHash(dialect, key)} AS key_hash`, `${score} AS millionths`, `${dialect.identifier('decile')} AS tenth`, ...segments].join(', ')}
      FROM ${from}`;
    const names = ['key_hash', 'millionths', 'tenth'].map(text);
    return `SELECT ${[...names, ...segments.map((_, i) => `segment_${i}`)].join(', ')} FROM (${read}) scores WHERE ${isInPartition(partition)}`;
  });
}

/**
 * The values of each segment with the most users.
 *
 * @param limit of values
 * @returns one more than `limit` if there are more
 */
export async function readSegments(sink: Sink, scores: PublishedScores, limit: number): Promise<Segment[]> {
  const segments: Segment[] = [];
  for (const column of scores.segments) {
    const rows = await select(sink, scores, (dialect, from) => {
      const counted = `SELECT segment_value, COUNT(*) AS n FROM (SELECT ${segmentText(dialect, column)} AS segment_value FROM ${from}) kept
        GROUP BY segment_value`;
      return `SELECT segment_value FROM (${counted}) counted
        ORDER BY n DESC, ${dialect.bytes(`COALESCE(segment_value, '')`)} LIMIT ${limit + 1}`;
    });
    segments.push({ name: column.name, values: rows.map(([value]) => value ?? null) });
  }
  return segments;
}

/** The canonical text, as in the summary table. */
function segmentText(dialect: Dialect, column: TableColumn): string {
  return dialect.text(dialect.identifier(column.name), column);
}

async function select(
  sink: Sink,
  { table, entry: { job, runId, window } }: PublishedScores,
  statement: (dialect: Dialect, from: string) => string,
): Promise<readonly TextRow[]> {
  return await sink.read(async (reader) => {
    const found = await reader.find(table);
    if (found === undefined) return [];
    const { literal } = reader.dialect;
    const own = [
      `job = ${literal(job)}`,
      `run_id = ${literal(runId)}`,
      `window_start = ${instant(reader.dialect, window.start)}`,
      `window_end = ${instant(reader.dialect, window.end)}`,
    ];
    return await reader.rows(
      statement(reader.dialect, `(SELECT * FROM ${reader.dialect.table(found.name)} WHERE ${own.join(' AND ')}) published`),
    );
  });
}

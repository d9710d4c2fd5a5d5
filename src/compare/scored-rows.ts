import { replacedLayout } from '../domain/replaced-tables.ts';
import { namesJob, SCORE_SCALE, type TableColumn, type TableLayout } from '../domain/tables.ts';
import type { Dialect } from '../warehouse/dialect.ts';
import { instant, keyHash } from '../warehouse/sql/dialect.ts';

/** The rows of a side in its warehouse: one per user, with unique, non-null keys. */
export interface ScoredRows {
  /** A SELECT of the columns `key_0`, `key_1`, …, `millionths` (the score as an integer), and `band` if `banded`. */
  readonly select: string;
  /** The key's columns, for their types. */
  readonly key: readonly TableColumn[];
  /** Whether the rows have their published bands. */
  readonly banded: boolean;
}

/** A current or replaced publication, and where its rows are. */
export interface PublishedRows {
  /** The scores table with the columns that the publication wrote, from `RunDetails.columns`. */
  readonly table: TableLayout;
  readonly job: string;
  readonly window: { readonly start: string; readonly end: string };
  readonly runId: string;
  readonly publication: number;
  /** Whether another publication has replaced it, so that its rows are in the table of replaced ones. */
  readonly replaced: boolean;
  readonly key: readonly TableColumn[];
  /** Name of the score column. */
  readonly score: string;
}

/** The table with the rows of a publication. */
export function tableOf({ table, replaced }: Pick<PublishedRows, 'table' | 'replaced'>): TableLayout {
  return replaced ? replacedLayout(table) : table;
}

/** @param found name of the table as `TableReader.find` returns it for `tableOf` */
export function publishedRows(dialect: Dialect, found: TableLayout, rows: PublishedRows): ScoredRows {
  const { identifier } = dialect;
  const banded = rows.table.columns.some(({ name }) => name === 'band');
  const columns = [
    ...rows.key.map(({ name }, i) => `${identifier(name)} AS key_${i}`),
    `${inMillionths(dialect, identifier(rows.score))} AS millionths`,
    ...(banded ? ['band'] : []),
  ];
  return {
    select: `SELECT ${columns.join(', ')} FROM ${dialect.table(found.name)} WHERE ${isOf(dialect, rows)}`,
    key: rows.key,
    banded,
  };
}

/** Hash of a row's key, which every warehouse computes the same way. */
export function hashOf(dialect: Dialect, { key }: Pick<ScoredRows, 'key'>): string {
  const columns = key.map((column, i) => ({ ...column, name: `key_${i}`, native: column.type }));
  return keyHash(dialect, columns);
}

export function inMillionths(dialect: Dialect, score: string): string {
  return `CAST(${score} * ${10 ** SCORE_SCALE} AS ${dialect.type({ type: 'integer' })})`;
}

/** Condition: the row belongs to the publication. */
function isOf(dialect: Dialect, { table, job, window, runId, publication, replaced }: PublishedRows): string {
  const { literal } = dialect;
  const [start, end] = [instant(dialect, window.start), instant(dialect, window.end)];
  if (replaced)
    return `replaced_job = ${literal(job)} AND replaced_window_start = ${start} AND replaced_window_end = ${end}
      AND replaced_publication = ${publication} AND replaced_run_id = ${literal(runId)}`;
  return namesJob(table)
    ? `job = ${literal(job)} AND run_id = ${literal(runId)} AND window_start = ${start} AND window_end = ${end}`
    : `window_start = ${start} AND publication = ${publication}`;
}

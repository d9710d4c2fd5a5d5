import { LABEL_COLUMN } from '../domain/class-columns.ts';
import type { Column } from '../domain/schema.ts';
import { type TableColumn, type Tables, tablesOf } from '../domain/tables.ts';
import type { JobDefinition } from '../job/schema.ts';
import { tableNames } from '../plan/warehouses.ts';

/** A job's tables, built from a publication's columns. */
export interface JobTables {
  readonly tables: Tables;
  readonly key: readonly Column[];
  readonly keep: readonly Column[];
}

/**
 * The tables of a job with the columns of a publication, for commands that do not run its query.
 *
 * @param columns of the scores table, from the ledger
 * @returns `otherColumns` if the job would not publish these columns now: one phrase per difference
 */
export function tablesThen(
  definition: JobDefinition,
  columns: readonly TableColumn[],
): JobTables & { readonly otherColumns?: readonly string[] } {
  const { source, sink, score, report } = definition;
  const named = (list: readonly string[]) => list.map((name) => name.toLowerCase()).join(', ');
  const kept = source.key.length + sink.keep.length;
  // Only the publication knows which classes it had.
  const at = columns.findIndex(({ name }) => name.toLowerCase() === score.column.toLowerCase());
  const withClasses = score.classes !== undefined && columns[kept]?.name === LABEL_COLUMN && at > kept;
  const own = columns.slice(0, withClasses ? at : kept).map((column): Column => ({ ...column, native: column.type }));
  const key = own.slice(0, source.key.length);
  const keep = own.slice(source.key.length);
  const tables = tablesOf(tableNames(definition), {
    ...{ key, keep, scoreColumn: score.column, layout: sink.layout },
    reasons: score.reasons?.features,
    holdout: report.holdout !== undefined,
  });
  const classes =
    score.classes === undefined ? [] : withClasses ? own.slice(kept).map(({ name }) => name) : [LABEL_COLUMN, 'p_…'];
  const now = [...source.key, ...sink.keep, ...classes, ...tables.scores.columns.slice(own.length).map(({ name }) => name)];
  const then = columns.map(({ name }) => name);
  const otherColumns = named(now) === named(then) ? undefined : [`then: ${named(then)}`, `now: ${named(now)}`];
  return { tables, key, keep, ...(otherColumns && { otherColumns }) };
}

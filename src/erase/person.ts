import { challengerJob } from '../domain/challenger.ts';
import { counted } from '../domain/counted.ts';
import type { Person, PersonTable } from '../domain/erasure.ts';
import type { LedgerEntry } from '../domain/ledger.ts';
import type { Column } from '../domain/schema.ts';
import { isSameTable, showTableName } from '../domain/table-name.ts';
import { type TableColumn, type TableLayout, tablesOf } from '../domain/tables.ts';
import { ScoreBatchError } from '../errors.ts';
import { keyText } from '../explain/key-text.ts';
import type { JobDefinition } from '../job/schema.ts';
import { challengerNames } from '../plan/challenger-plan.ts';
import { tableNames } from '../plan/warehouses.ts';

/** Published tables that may contain rows of a person. */
export interface PersonTables {
  readonly tables: readonly PersonTable[];
  readonly summary: TableLayout | undefined;
  /** Names of kept columns. */
  readonly kept: readonly string[];
}

/** @throws ScoreBatchError `usage` if there is not one value per column of the key */
export function refuseOtherCount(values: readonly string[], { source: { key } }: JobDefinition): void {
  if (values.length === key.length) return;
  throw new ScoreBatchError(
    'usage',
    `the key has ${counted(key.length, 'column')}, but ${counted(values.length, 'value')} ${values.length === 1 ? 'was' : 'were'} given`,
    { hint: `give a value for each of ${key.join(', ')}, in this order` },
  );
}

/**
 * The columns of the job's scores table in the newest publication.
 *
 * @param entries all of the job
 * @returns undefined if the job has published nothing to its table
 */
export function publishedColumns(
  definition: JobDefinition,
  entries: readonly LedgerEntry[],
): readonly TableColumn[] | undefined {
  const { scores } = tableNames(definition);
  return entries.findLast(({ details }) => details.columns && isSameTable(details.table, scores))?.details.columns;
}

/**
 * @param columns of a table, those of the key first
 * @throws ScoreBatchError `configuration` if the job's key is another one
 */
export function personOf(
  values: readonly string[],
  { source: { key } }: JobDefinition,
  columns: readonly TableColumn[],
): Person {
  const own = columns.slice(0, key.length);
  if (own.some(({ name }, i) => name.toLowerCase() !== key[i]?.toLowerCase())) {
    throw new ScoreBatchError(
      'configuration',
      `the rows that the job has published or kept have the key ${own.map(({ name }) => name).join(', ')}`,
      {
        hint: `source.key names ${key.join(', ')}; erase with the job file that the rows were published with`,
      },
    );
  }
  return { key: own, values: own.map((column, i) => keyText(values[i] ?? '', column)) };
}

/**
 * The tables of the job and its challengers, and the tables of their replaced publications.
 *
 * @param columns of the scores table
 * @param entries all of the job and its challenger
 */
export function tablesOfPerson(
  definition: JobDefinition,
  columns: readonly TableColumn[],
  entries: readonly LedgerEntry[],
): PersonTables {
  const { source, score, sink } = definition;
  const names = tableNames(definition);
  const at = columns.findIndex(({ name }) => name === score.column);
  const asColumns = (list: readonly TableColumn[]): Column[] => list.map((column) => ({ ...column, native: '' }));
  const key = asColumns(columns.slice(0, source.key.length));
  const keep = asColumns(columns.slice(source.key.length, Math.max(at, source.key.length)));
  const { quarantine, report, summary } = tablesOf(names, { key, keep, scoreColumn: score.column, layout: sink.layout });
  const job = definition.name;
  const parts = [
    { part: 'scores' as const, job, layout: { name: names.scores, columns } },
    { part: 'quarantine' as const, job, layout: quarantine },
    ...(report ? [{ part: 'report' as const, job, layout: report }] : []),
    ...challengersTables(challengerJob(job), quarantine.columns, entries),
  ];
  const tables = parts.flatMap((one) => [
    { ...one, replaced: false },
    { ...one, replaced: true },
  ]);
  return { tables, summary, kept: keep.map(({ name }) => name) };
}

/**
 * Every table that a challenger of the job has published to, even if the job file no longer names it: promotion removes its
 * key.
 */
function challengersTables(
  job: string,
  quarantine: readonly TableColumn[],
  entries: readonly LedgerEntry[],
): readonly Pick<PersonTable, 'part' | 'job' | 'layout'>[] {
  const newest = new Map<string, TableLayout>();
  for (const { job: of, details } of entries) {
    if (of === job && details.table && details.columns)
      newest.set(showTableName(details.table), { name: details.table, columns: details.columns });
  }
  return [...newest.values()].flatMap((layout) => [
    { part: 'scores' as const, job, layout },
    { part: 'quarantine' as const, job, layout: { name: challengerNames(layout.name).quarantine, columns: quarantine } },
  ]);
}

import { type FoundRows, runOf } from '../domain/erasure.ts';
import { type LedgerEntry, runsOf } from '../domain/ledger.ts';
import { isSameTable, showTableName, type TableName } from '../domain/table-name.ts';
import type { JobDefinition } from '../job/schema.ts';
import { tableNames } from '../plan/warehouses.ts';
import { publishedColumns } from './person.ts';

/**
 * Tables that may contain the person and were not searched, because the job file names other tables now.
 *
 * @param entries all of the job and its challenger
 */
export function unsearchedTables(
  definition: JobDefinition,
  entries: readonly LedgerEntry[],
  found: readonly FoundRows[],
): string[] {
  const { name: job } = definition;
  const { scores, report } = tableNames(definition);
  const own = entries.filter((entry) => entry.job === job);
  const others = (list: readonly LedgerEntry[]): string[] => {
    const tables = list.flatMap(({ details: { table } }) => (table === undefined || isSameTable(table, scores) ? [] : [table]));
    return [...new Set(tables.map(showTableName))];
  };
  const renamed = others(own).map(
    (table) => `${table} was not searched: the job used to publish to it, but no longer names it`,
  );
  if (publishedColumns(definition, own) !== undefined) return [...renamed, ...reportsElsewhere(job, report, entries, found)];
  const wrote = own.some(({ details }) => details.also_wrote?.includes('report'));
  const skipped = [
    ...others(entries.filter((entry) => entry.job !== job)),
    ...(report && wrote ? [showTableName(report)] : []),
  ];
  const since = `nothing is published to ${showTableName(scores)} yet`;
  return [...renamed, ...skipped.map((table) => `${table} was not searched: ${since}`)];
}

/** The ledger does not name report tables. But users in the scores of a run that wrote a report are in the report, too. */
function reportsElsewhere(
  job: string,
  report: TableName | undefined,
  entries: readonly LedgerEntry[],
  found: readonly FoundRows[],
): string[] {
  const publications = (part: FoundRows['part']) =>
    found
      .filter((table) => table.part === part && table.job === job)
      .flatMap(({ rows, replaced }) => rows.map((row) => ({ replaced, runId: runOf(row, job, entries)?.runId })));
  const reported = publications('report');
  const missing = publications('scores').filter(
    ({ replaced, runId }) => !reported.some((other) => other.runId === runId && other.replaced === replaced),
  );
  const ids = new Set(missing.map(({ runId }) => runId));
  const now =
    report === undefined
      ? 'the job file no longer names one'
      : `it is not ${showTableName(report)}, which the job file names now`;
  return runsOf(entries)
    .filter(({ runId, details }) => ids.has(runId) && details.also_wrote?.includes('report'))
    .map(({ runId, window }) => `the report table that run ${runId} of ${window.label} wrote to was not searched: ${now}`);
}

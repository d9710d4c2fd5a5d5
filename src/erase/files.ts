import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { awaitingFiles } from '../domain/erasure.ts';
import { type LedgerEntry, type Run, runsOf } from '../domain/ledger.ts';
import { currentEntries, isSameWindow } from '../domain/publications.ts';
import { isSameTable, showTableName } from '../domain/table-name.ts';
import { isRanked } from '../domain/tables.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import { tableNames, type Warehouses } from '../plan/warehouses.ts';
import { reportFiles } from '../report/place.ts';
import { remakeReport } from '../run/remake-report.ts';

export interface Remade {
  /** Paths of the files that were written again. */
  readonly files: readonly string[];
  /** Files and tables that may still hold the person, and that this command cannot reach. */
  readonly warnings: readonly string[];
}

/**
 * Writes the report files of all windows again that lost rows since they were written, by this erasure or by one that was
 * killed.
 *
 * @param entries all of the job
 */
export async function remakeFiles(
  job: Job,
  warehouses: Warehouses,
  entries: readonly LedgerEntry[],
  signal: AbortSignal,
): Promise<Remade> {
  const waiting = awaitingFiles(entries);
  const runs = new Map(runsOf(entries).map((run) => [run.runId, run]));
  const { scores } = tableNames(job.definition);
  const files: string[] = [];
  const warnings: string[] = [];
  for (const { runId } of currentEntries(entries)) {
    const run = runs.get(runId);
    const { columns, table } = run?.details ?? {};
    if (!waiting.has(runId) || run?.rows === undefined || columns === undefined || !isSameTable(table, scores)) continue;
    if (!isRanked({ columns })) continue;
    try {
      const written = { ...run, rows: run.rows, details: { ...run.details, columns } };
      const { sink, ledger, files: ofWarehouses } = warehouses;
      const options = { job, window: run.window, run: written, sink, ledger, files: ofWarehouses, signal, force: false };
      const ofWindow = entries.filter(({ window }) => isSameWindow(window, run.window));
      files.push(...(await remakeReport({ ...options, entries: ofWindow })));
    } catch (error) {
      // A file that somebody else has put there is not the job's.
      if (!(error instanceof ScoreBatchError) || error.kind !== 'configuration') throw error;
      warnings.push(`the files of ${run.window.label} were not written again: ${error.message}`);
    }
  }
  return { files, warnings };
}

/**
 * What may still hold a person and cannot be reached: files at other paths or on other machines, tables that the job does not
 * name any more.
 *
 * @param affected ids of the runs that lost rows
 */
export function unreachable(job: Job, entries: readonly LedgerEntry[], affected: ReadonlySet<string>): string[] {
  const { definition, root } = job;
  const runs = runsOf(entries).filter(({ runId }) => affected.has(runId));
  const { scores } = tableNames(definition);
  const tables = runsOf(entries).flatMap(({ details }) =>
    details.table === undefined || isSameTable(details.table, scores) ? [] : [showTableName(details.table)],
  );
  return [
    ...runs.flatMap((run) => filesElsewhere(run, { definition, root })),
    ...[...new Set(tables)].map(
      (table) => `${table} was not searched: the job published to it before, but does not name it now`,
    ),
  ];
}

function filesElsewhere(
  { runId, host, window, details }: Run,
  { definition, root }: Pick<Job, 'definition' | 'root'>,
): string[] {
  const here = new Set(reportFiles(definition.report, window, root).map((file) => file.path));
  const recorded = [...new Set([details.report ?? [], details.files ?? []].flat().map((file) => path.resolve(root, file)))];
  const others = recorded.filter((file) => !here.has(file) && existsSync(file));
  return [
    ...others.map(
      (file) => `${file} may hold the person: run ${runId} wrote it, but the job file gives ${window.label} another path now`,
    ),
    ...(recorded.length > 0 && host !== hostname()
      ? [`run ${runId} of ${window.label} wrote its files on ${host}: what is there may hold the person`]
      : []),
  ];
}

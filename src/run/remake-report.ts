import { hostname } from 'node:os';
import type { LedgerWindow, Run } from '../domain/ledger.ts';
import { isSameTable, showTableName } from '../domain/table-name.ts';
import { isRanked, type TableColumn } from '../domain/tables.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import { jobPages } from '../plan/job-pages.ts';
import { reservedFiles, tableNames, type Warehouses } from '../plan/warehouses.ts';
import { refuseForeign, reportFiles } from '../report/place.ts';
import { refuseReserved } from '../report/reserved.ts';
import { writeReport } from '../report/write.ts';

export interface RemakeOptions extends Pick<Warehouses, 'sink' | 'ledger' | 'files' | 'stores'> {
  readonly job: Job;
  readonly window: LedgerWindow;
  /** The window's published run, with the columns that it wrote. */
  readonly run: Run & {
    readonly rows: NonNullable<Run['rows']>;
    readonly details: { readonly columns: readonly TableColumn[] };
  };
  /** Ledger entries of the window. */
  readonly entries: Parameters<typeof refuseForeign>[1]['entries'];
  /** Whether to replace files that this job did not write. */
  readonly force: boolean;
  readonly signal: AbortSignal;
}

/**
 * Writes the window's report files from the published scores, and the ledger entry that completes the run. Needs neither source
 * nor model.
 *
 * @returns paths of the files; empty if the job has none, and then nothing is written
 * @throws ScoreBatchError `configuration` if the run was published to another table, `refused` if its scores have no ranks
 */
export async function remakeReport(options: RemakeOptions): Promise<readonly string[]> {
  const { job, window, run, sink, ledger, stores, entries, force, signal } = options;
  const { definition } = job;
  const files = reportFiles(definition.report, window, job.root);
  if (files.length === 0) return [];
  const { scores: table } = tableNames(definition);
  refuseOtherTable(run, table, window);
  const { columns } = run.details;
  if (!isRanked({ columns })) {
    throw new ScoreBatchError('refused', `the scores of ${window.label} were published without ranks, which a report needs`, {
      hint: 'run the window again with sink.layout: wide and a new sink.table',
    });
  }
  const reserved = reservedFiles(job, options.files);
  await refuseReserved(files, reserved);
  const owner = { job: definition.name, root: job.root, entries, stores };
  if (!force) for (const file of files) await refuseForeign(file, owner);
  const paths = files.map((file) => file.path);
  const { runId, rows } = run;
  await writeReport(
    {
      ...{ sink, ledger, stores, job: definition.name, runId, window, files, reserved, force, signal },
      scores: { name: table, columns },
      rows: rows.scored,
      csvBom: definition.report.csv_bom,
      pages: jobPages({ job, window, runId, sink, ledger, columns, files, stores }),
    },
    () => completedEntry(run, window, paths),
  );
  return paths;
}

/** The entry that completes a published run. @param files paths of its report files */
export function completedEntry(run: Run, window: LedgerWindow, files: readonly string[]) {
  const { runId, job, fingerprint, model, rows } = run;
  return {
    ...{ recordedAt: new Date().toISOString(), host: hostname(), runId, job, window, fingerprint, model },
    state: 'completed' as const,
    details: { files },
    ...(rows && { rows }),
  };
}

/** The ledger must not decide which table is exported: anyone who can write to it could name any table. */
function refuseOtherTable(run: Run, table: readonly string[], window: LedgerWindow): void {
  if (isSameTable(run.details.table, table)) return;
  const recorded = Array.isArray(run.details.table) ? showTableName(run.details.table.map(String)) : 'no table';
  throw new ScoreBatchError(
    'configuration',
    `the ledger says that ${window.label} was published to ${recorded}, but this job publishes to ${showTableName(table)}`,
    {
      hint: 'if sink.table has changed since, run the window again to publish it to the new table; if not, someone changed the ledger',
    },
  );
}

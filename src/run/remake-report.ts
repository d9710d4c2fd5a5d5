import { hostname } from 'node:os';
import type { Run } from '../domain/ledger.ts';
import type { Job } from '../job/load.ts';
import { jobPages } from '../plan/job-pages.ts';
import { reservedFiles, tableNames, type Warehouses } from '../plan/warehouses.ts';
import { refuseForeign, reportFiles } from '../report/place.ts';
import { refuseReserved } from '../report/reserved.ts';
import { writeReport } from '../report/write.ts';

/** A published run, and what it takes to write its files again. */
export type RemadeRun = Run & {
  readonly rows: NonNullable<Run['rows']>;
  readonly details: Required<Pick<Run['details'], 'columns'>>;
};

export interface RemakeOptions {
  readonly job: Job;
  readonly warehouses: Pick<Warehouses, 'sink' | 'ledger' | 'files'>;
  /** Replace files that this job did not write. */
  readonly force: boolean;
  readonly signal: AbortSignal;
}

/**
 * Writes the report files of the run that is published for a window again, from its published rows.
 *
 * @returns the paths; empty if the job has no files
 */
export async function remakeReport(
  { runId, window, fingerprint, model, rows, details }: RemadeRun,
  { job, warehouses, force, signal }: RemakeOptions,
): Promise<readonly string[]> {
  const { definition, root } = job;
  const { sink, ledger, files: ofWarehouses } = warehouses;
  const files = reportFiles(definition.report, window, root);
  if (files.length === 0) return [];
  const reserved = reservedFiles(job, ofWarehouses);
  await refuseReserved(files, reserved);
  const entries = await ledger.entries({ job: definition.name, window });
  const owner = { job: definition.name, root, entries };
  if (!force) for (const file of files) await refuseForeign(file, owner);
  const paths = files.map((file) => file.path);
  const { columns } = details;
  const spec = {
    ...{ sink, ledger, job: definition.name, runId, window, files, reserved, signal },
    scores: { name: tableNames(definition).scores, columns },
    rows: rows.scored,
    csvBom: definition.report.csv_bom,
    pages: jobPages({ job, window, runId, sink, ledger, columns, files }),
  };
  await writeReport(spec, () => ({
    ...{ recordedAt: new Date().toISOString(), runId, job: definition.name, window, state: 'completed' as const },
    ...{ fingerprint, model, host: hostname(), details: { files: paths }, rows },
  }));
  return paths;
}

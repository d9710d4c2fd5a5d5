import { hostname } from 'node:os';
import type { Context } from '../context.ts';
import { counted } from '../domain/counted.ts';
import { ledgerWindow } from '../domain/ledger.ts';
import { isSameTable, showTableName } from '../domain/table-name.ts';
import { isRanked } from '../domain/tables.ts';
import { ScoreBatchError } from '../errors.ts';
import type { ReportOutput } from '../json/upkeep.ts';
import { jobPages } from '../plan/job-pages.ts';
import { openWarehouses, reservedFiles, tableNames } from '../plan/warehouses.ts';
import { refuseForeign, reportFiles } from '../report/place.ts';
import { refuseReserved } from '../report/reserved.ts';
import { writeReport } from '../report/write.ts';
import { namedJob } from './named-job.ts';
import { chooseWindow, type JobFlags, type WindowOptions } from './options.ts';
import { publishedRunOf } from './published-run.ts';

export interface ReportFlags extends JobFlags, WindowOptions {
  readonly force?: boolean;
}

/** Writes the window's report files again from the published scores. Needs neither source nor model. */
export async function reportCommand(flags: ReportFlags, context: Context): Promise<ReportOutput> {
  const job = await namedJob(flags, context);
  const { definition } = job;
  const window = ledgerWindow(chooseWindow(flags, definition.time_zone, context));
  const files = reportFiles(definition.report, window, job.root);
  if (files.length === 0) {
    throw new ScoreBatchError('configuration', `${definition.name} has no report file`, {
      hint: 'set report.csv, report.parquet, report.xlsx or report.page in the job file',
    });
  }
  const { scores: table } = tableNames(definition);
  const { sink, ledger, files: ofWarehouses, reachSink } = await openWarehouses(job, context);
  await reachSink();
  const entries = await ledger.entries({ job: definition.name, window });
  const run = publishedRunOf(entries, window);
  context.subject.runId = run.runId;
  // The ledger does not decide which table is exported: anyone who can write to it could name any table.
  if (!isSameTable(run.details.table, table)) {
    const recorded = Array.isArray(run.details.table) ? showTableName(run.details.table.map(String)) : 'no table';
    throw new ScoreBatchError(
      'configuration',
      `the ledger says that ${window.label} was published to ${recorded}, but this job publishes to ${showTableName(table)}`,
      {
        hint: 'if sink.table has changed since, run the window again to publish it there; if not, someone changed the ledger',
      },
    );
  }
  if (!isRanked({ scores: { name: table, columns: run.details.columns } })) {
    throw new ScoreBatchError('refused', `the scores of ${window.label} were published without ranks, which a report needs`, {
      hint: 'run the window again with sink.layout: wide and another table',
    });
  }
  const reserved = reservedFiles(job, ofWarehouses);
  await refuseReserved(files, reserved);
  const owner = { job: definition.name, root: job.root, entries };
  if (flags.force !== true) for (const file of files) await refuseForeign(file, owner);
  const paths = files.map((file) => file.path);
  const scores = { name: table, columns: run.details.columns };
  const { runId, fingerprint, model, rows } = run;
  await writeReport(
    {
      sink,
      ledger,
      job: definition.name,
      runId,
      window,
      scores,
      rows: run.rows.scored,
      files,
      csvBom: definition.report.csv_bom,
      pages: jobPages({ job, window, runId, sink, ledger, columns: run.details.columns, files }),
      reserved,
      signal: context.signal,
    },
    () => ({
      recordedAt: new Date().toISOString(),
      runId,
      job: definition.name,
      window,
      state: 'completed',
      fingerprint,
      model,
      host: hostname(),
      details: { files: paths },
      rows,
    }),
  );
  for (const file of paths) context.console.info(`wrote ${file}: ${counted(run.rows.scored, 'user')} of run ${runId}`);
  return { job: definition.name, window: window.label, run_id: runId, files: paths, rows: run.rows.scored };
}

import type { Context } from '../context.ts';
import { counted } from '../domain/counted.ts';
import { ledgerWindow } from '../domain/ledger.ts';
import { ScoreBatchError } from '../errors.ts';
import type { ReportOutput } from '../json/upkeep.ts';
import { openWarehouses } from '../plan/warehouses.ts';
import { reportFiles } from '../report/place.ts';
import { remakeReport } from '../run/remake-report.ts';
import { namedJob } from './named-job.ts';
import { chooseWindow, type JobFlags, type WindowOptions } from './options.ts';
import { publishedRunOf } from './published-run.ts';

export interface ReportFlags extends JobFlags, WindowOptions {
  readonly force?: boolean;
}

/**
 * Writes the window's report files again from the published scores. Needs neither source nor model. If that completes a run,
 * its targets are notified.
 */
export async function reportCommand(flags: ReportFlags, context: Context): Promise<ReportOutput> {
  const job = await namedJob(flags, context);
  const { definition } = job;
  const window = ledgerWindow(chooseWindow(flags, definition, context));
  if (reportFiles(definition.report, window, job.root).length === 0) {
    throw new ScoreBatchError('configuration', `${definition.name} has no report file`, {
      hint: 'set report.csv, report.parquet, report.xlsx or report.page in the job file',
    });
  }
  const { sink, ledger, files, stores, reachSink } = await openWarehouses(job, context);
  await reachSink();
  const entries = await ledger.entries({ job: definition.name, window });
  const run = publishedRunOf(entries, window);
  context.subject.runId = run.runId;
  const { signal } = context;
  const paths = await remakeReport({
    ...{ job, window, run, sink, ledger, files, stores, entries, signal },
    force: flags.force === true,
  });
  // The run was published, but ended by a report failure, so nobody was notified.
  if (run.state === 'published' && definition.delivery !== undefined) {
    const { deliver } = await import('../delivery/deliver.ts');
    await deliver({ job, window, sink, ledger, stores }, context);
  }
  for (const file of paths) context.console.info(`wrote ${file}: ${counted(run.rows.scored, 'user')} of run ${run.runId}`);
  return { job: definition.name, window: window.label, run_id: run.runId, files: paths, rows: run.rows.scored };
}

import { currentPublication, type LedgerEntry, ledgerWindow } from '../domain/ledger.ts';
import { ScoreBatchError } from '../errors.ts';
import { jobPages } from '../plan/job-pages.ts';
import { writeReport } from '../report/write.ts';
import { type ActiveRun, entryOf, windowFilter } from './progress.ts';

/**
 * Writes the report files of a published run, if the job has any, and the ledger entry that completes the run.
 *
 * @param between runs after the files and before the entry; if it fails, the next process repeats both
 */
export async function finishReport(active: ActiveRun, between?: () => Promise<void>): Promise<void> {
  const { plan, progress, context } = active;
  if (progress.state === 'completed') return;
  const { clock, runId, rows } = progress;
  const files = plan.reportFiles;
  clock.enter('report');
  const completed = (): LedgerEntry => {
    progress.details = {
      ...progress.details,
      seconds: clock.seconds,
      ...(files.length > 0 && { files: files.map(({ path }) => path) }),
    };
    return entryOf(active, 'completed', { seconds: clock.seconds, files: progress.details.files ?? [] });
  };
  if (rows === undefined) throw new ScoreBatchError('report', `the ledger has no row counts for run ${runId}`);
  if (files.length > 0) {
    const { sink, ledger, job, stores, force } = plan;
    const window = ledgerWindow(plan.window);
    const columns = progress.details.columns ?? plan.tables.scores.columns;
    const spec = {
      ...{ sink, ledger, stores, runId, window, files, force },
      job: job.definition.name,
      scores: { name: plan.tables.scores.name, columns },
      rows: rows.scored,
      pages: jobPages({ job, window, runId, sink, ledger, columns, files, stores }),
      csvBom: plan.job.definition.report.csv_bom,
      reserved: plan.reserved,
      signal: context.signal,
    };
    await writeReport(spec, between === undefined ? completed : () => undefined);
  }
  await between?.();
  if (files.length === 0 || between !== undefined) {
    await plan.ledger.decide(windowFilter(plan), async (entries) =>
      currentPublication(entries)?.runId === runId ? { append: completed(), result: true } : { result: false },
    );
  }
  progress.state = 'completed';
}

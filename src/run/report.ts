import type { Context } from '../context.ts';
import { ledgerWindow } from '../domain/ledger.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';
import { reportFile, writeReport } from '../report/write.ts';
import { entryOf, type Progress } from './progress.ts';

/** The report file of a published run, and the ledger entry that says it is there. */
export async function finishReport(plan: Plan, progress: Progress, { signal }: Context): Promise<void> {
  const { definition, root } = plan.job;
  const { clock, runId } = progress;
  const window = ledgerWindow(plan.window);
  const file = definition.report.csv === undefined ? undefined : reportFile(definition.report.csv, window, root);
  const start = performance.now();
  const completed = () => {
    clock.add('report', (performance.now() - start) / 1000);
    progress.details = { ...progress.details, seconds: clock.seconds, ...(file !== undefined && { files: [file] }) };
    return entryOf(plan, progress, 'completed', { seconds: clock.seconds, files: progress.details.files ?? [] });
  };
  if (file === undefined) {
    await plan.ledger.whilePublished(runId, { job: definition.name, window }, async () => completed());
  } else {
    if (progress.rows === undefined)
      throw new ScoreBatchError('report', `the ledger does not tell how many rows ${runId} published`);
    const rows = progress.rows.scored;
    await writeReport(
      {
        sink: plan.sink.sink,
        ledger: plan.ledger,
        job: definition.name,
        runId,
        window,
        scores: plan.tables.scores,
        rows,
        file,
        signal,
      },
      completed,
    );
  }
  progress.state = 'completed';
}

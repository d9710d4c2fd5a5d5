import type { Context } from '../context.ts';
import { currentPublication, ledgerWindow } from '../domain/ledger.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';
import { writeReport } from '../report/write.ts';
import { entryOf, type Progress, windowFilter } from './progress.ts';

/** The report file of a published run, and the ledger entry that says it is there; nothing where that was done before. */
export async function finishReport(plan: Plan, progress: Progress, { signal }: Context): Promise<void> {
  if (progress.state === 'completed') return;
  const { clock, runId, rows } = progress;
  const file = plan.reportFile;
  clock.enter('report');
  const completed = () => {
    progress.details = { ...progress.details, seconds: clock.seconds, ...(file !== undefined && { files: [file] }) };
    return entryOf(plan, progress, 'completed', { seconds: clock.seconds, files: progress.details.files ?? [] });
  };
  if (rows === undefined) throw new ScoreBatchError('report', `the ledger does not tell how many rows ${runId} published`);
  if (file === undefined) {
    await plan.ledger.decide(windowFilter(plan), async (entries) =>
      currentPublication(entries)?.runId === runId ? { append: completed(), result: true } : { result: false },
    );
  } else {
    const scores = { name: plan.tables.scores.name, columns: progress.details.columns ?? plan.tables.scores.columns };
    const { name: job } = plan.job.definition;
    const window = ledgerWindow(plan.window);
    await writeReport(
      {
        sink: plan.sink.sink,
        ledger: plan.ledger,
        job,
        runId,
        window,
        scores,
        rows: rows.scored,
        file,
        reserved: plan.reserved,
        signal,
      },
      completed,
    );
  }
  progress.state = 'completed';
}

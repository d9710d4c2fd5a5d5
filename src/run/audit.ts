import { tableDiscrepancies } from '../domain/held.ts';
import { currentPublication, type LedgerEntry, type Run, runsOf } from '../domain/ledger.ts';
import { isSameTable } from '../domain/table-name.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';

/** A published run, compared with the tables' contents. */
export interface Audited {
  readonly run: Run;
  /** One phrase per table that differs from the ledger; empty if all agree. */
  readonly differences: readonly string[];
}

/** The window's published run, if the ledger says that it wrote to the job's own table. */
export function publishedRun({ tables }: Plan, entries: readonly LedgerEntry[]): Run | undefined {
  const current = currentPublication(entries);
  const run = runsOf(entries).find(({ runId }) => runId === current?.runId);
  return run !== undefined && isSameTable(run.details.table, tables.scores.name) ? run : undefined;
}

/** Compares the tables with a published run's ledger entry: rows may have been deleted or restored since. */
export async function audit({ sink, tables, job }: Plan, run: Run): Promise<Audited> {
  const held = await sink.held(tables, job.definition.name, [run.window]);
  return { run, differences: tableDiscrepancies(run, held, tables) };
}

/**
 * @param remedy the command that publishes the window again
 * @throws ScoreBatchError `refused` if the tables do not hold what the ledger says
 */
export function refuseDifferences({ run, differences }: Audited, remedy: string): void {
  if (differences.length === 0) return;
  throw new ScoreBatchError(
    'refused',
    `${run.window.label} is published, but the tables do not hold what run ${run.runId} wrote`,
    {
      details: differences,
      hint: `someone changed the tables; to republish the window with the rows that the source has now, use ${remedy}`,
    },
  );
}

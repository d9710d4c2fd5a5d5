import { tableDiscrepancies } from '../domain/held.ts';
import { currentPublication, type LedgerEntry, type Run, runsOf } from '../domain/ledger.ts';
import { isSameTable } from '../domain/table-name.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';

/** A published run, and what the tables hold other than the ledger says of it. */
export interface Audited {
  readonly run: Run;
  /** One phrase per table; none where they agree. */
  readonly differences: readonly string[];
}

/** The window's published run where it is in the job's own table, whatever table the ledger names; undefined where there is none. */
export function publishedRun({ tables }: Plan, entries: readonly LedgerEntry[]): Run | undefined {
  const current = currentPublication(entries);
  const run = runsOf(entries).find(({ runId }) => runId === current?.runId);
  return run !== undefined && isSameTable(run.details.table, tables.scores.name) ? run : undefined;
}

/** Compares the tables with what the ledger says of a published run: rows may have been deleted, or restored, since. */
export async function audit({ sink, tables, job }: Plan, run: Run): Promise<Audited> {
  const held = await sink.sink.held(tables, job.definition.name, [run.window]);
  return { run, differences: tableDiscrepancies(run, held, tables) };
}

/** @throws ScoreBatchError `refused` where the tables do not hold what the ledger says. @param remedy what publishes it again */
export function refuseDifferences({ run, differences }: Audited, remedy: string): void {
  if (differences.length === 0) return;
  throw new ScoreBatchError(
    'refused',
    `${run.window.label} is published, but the tables do not hold what run ${run.runId} wrote`,
    {
      details: differences,
      hint: `somebody changed the tables; ${remedy} publishes the window again, with the rows that the source has now`,
    },
  );
}

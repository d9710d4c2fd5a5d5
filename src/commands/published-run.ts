import { currentPublication, type LedgerEntry, lastPublished, type Run, runsOf } from '../domain/ledger.ts';
import { ScoreBatchError } from '../errors.ts';

/** A published run, with the columns that it wrote. */
export type PublishedRun = Run & {
  readonly rows: NonNullable<Run['rows']>;
  readonly details: Required<Pick<Run['details'], 'columns'>>;
};

/**
 * The run published for a window.
 *
 * @param entries all of one job and window
 * @throws ScoreBatchError `refused` if there is none, or another window superseded it
 */
export function publishedRunOf(entries: readonly LedgerEntry[], { label }: { readonly label: string }): PublishedRun {
  const current = currentPublication(entries);
  const supersededBy = lastPublished(entries)?.details.superseded_by;
  if (current === undefined && supersededBy !== undefined) {
    throw new ScoreBatchError('refused', `${label} is no longer published: run ${supersededBy.run_id} superseded it`, {
      hint: `choose the window of that run: --from ${supersededBy.start} --to ${supersededBy.end}`,
    });
  }
  const run = runsOf(entries).find(({ runId }) => runId === current?.runId);
  const columns = run?.details.columns;
  if (current === undefined || run === undefined || columns === undefined) {
    throw new ScoreBatchError('refused', `nothing is published for ${label}`, { hint: 'run the job for this window first' });
  }
  return { ...run, rows: current.rows, details: { ...run.details, columns } };
}

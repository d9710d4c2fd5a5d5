import type { ScoreCounts } from '../domain/held.ts';
import type { Plan } from '../plan/plan.ts';

/** Published scores that this run's are compared with. */
export interface ScoresBefore extends ScoreCounts {
  /** Label of their window. */
  readonly label: string;
}

/**
 * The scores of the latest earlier window, read from the job's own table, in the bins of the bundle's reference or else in
 * tenths of their own; undefined where there are none of this model. An ad hoc window has no window before.
 */
export async function scoresBefore(plan: Plan): Promise<ScoresBefore | undefined> {
  const { last, bundle, window, tables, job } = plan;
  if (last === undefined || last.rows.scored === 0 || window.kind === 'ad hoc') return undefined;
  if (last.model.digest !== bundle.digest) return undefined;
  const counted = await plan.sink.sink.scoreCounts({
    table: tables.scores,
    ledger: tables.ledger,
    column: job.definition.score.column,
    job: job.definition.name,
    runId: last.runId,
    window: last.window,
    edges: bundle.definition.reference?.score?.edges,
  });
  return counted && { ...counted, label: last.window.label };
}

import type { ScoreCounts } from '../domain/held.ts';
import { scoreClass } from '../domain/score-class.ts';
import type { Plan } from '../plan/plan.ts';

/** Published scores to compare this run's scores with. */
export interface ScoresBefore extends ScoreCounts {
  /** Label of their window. */
  readonly label: string;
}

/**
 * The score distribution of the latest earlier window, from the job's own table. Bins are those of the bundle's reference,
 * otherwise tenths of these scores.
 *
 * @returns undefined if the same model has published no such window, its score was another class, or the run's window is ad hoc
 */
export async function scoresBefore(plan: Plan): Promise<ScoresBefore | undefined> {
  const { last, bundle, window, tables, job } = plan;
  if (last === undefined || last.rows.scored === 0 || window.kind === 'ad hoc') return undefined;
  if (last.model.digest !== bundle.digest || last.details.score_class !== scoreClass(job.definition.score)) return undefined;
  const counted = await plan.sink.scoreCounts({
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

import { counted, grouped } from '../domain/counted.ts';
import type { Execution } from '../domain/execution.ts';
import type { FrozenTable } from '../domain/frozen-table.ts';
import type { AttemptTally, Reconciliation } from '../domain/reconciliation.ts';
import { type Scorer, scorerId } from '../domain/scorer.ts';
import { addTextCounts } from '../domain/text-counts.ts';
import { ScoreBatchError } from '../errors.ts';
import type { ActiveRun } from './progress.ts';
import { scorerNow } from './scorer.ts';

/**
 * Checks that rows frozen = rows scored + rows quarantined, with the same keys, chunk by chunk. The warehouses count.
 *
 * @param scoreEdges edges of the bins in which scores are counted; undefined if drift is not measured
 * @throws ScoreBatchError `conflict` if a chunk is missing, `refused` if counts or keys differ
 */
export async function reconcile(
  { plan, progress }: ActiveRun,
  frozen: FrozenTable,
  scoreEdges: readonly number[] | undefined,
): Promise<Reconciliation> {
  const { runId, details } = progress;
  if (!frozen.tapped) await plan.source.verify(frozen, plan.key);
  const { attempts, pinned, missing, mismatched, rejections, scoreCounts } = await plan.sink.tally({
    runId,
    frozen,
    key: plan.key,
    keep: plan.keep,
    scorer: ownScorer(plan.execution, details.scorer),
    scoreEdges,
  });
  const staging = plan.sink.stagingLocation(runId);
  if (mismatched.length > 0) {
    throw new ScoreBatchError('refused', `the keys staged for chunk ${mismatched.join(', ')} differ from the frozen keys`, {
      hint: `nothing was published; inspect ${staging}, then start again`,
    });
  }
  if (missing.length > 0) {
    throw new ScoreBatchError('conflict', `chunk ${missing.join(', ')} of ${frozen.chunks.length} has no complete attempt`, {
      details: missing.map((chunk) => showAttempts(chunk, frozen, attempts)),
      hint: 'run `score-batch score` or the whole run again for the same window: it scores only what is missing',
    });
  }
  const scored = pinned.reduce((sum, attempt) => sum + attempt.scored, 0);
  const quarantined = rejections.reduce((sum, { rows }) => sum + rows, 0);
  if (scored + quarantined !== frozen.rows) {
    throw new ScoreBatchError(
      'refused',
      `${counted(frozen.rows, 'row was', 'rows were')} frozen, but ${grouped(scored)} scored and ${grouped(quarantined)} quarantined`,
      {
        hint: `nothing was published; inspect ${staging}, then start again`,
      },
    );
  }
  const texts = addTextCounts(pinned.map(({ facts }) => facts?.texts ?? {}));
  const unchanged = pinned.reduce((sum, { facts }) => sum + (facts?.unchanged ?? 0), 0);
  return { pinned, rows: { frozen: frozen.rows, scored, quarantined }, rejections, scoreCounts, texts, unchanged };
}

/** The scorer that wins a tie: this process's own, otherwise the one whose rows were counted earlier. */
function ownScorer(execution: Execution | undefined, before: Scorer | undefined): string | undefined {
  if (execution !== undefined) return scorerId(scorerNow(execution));
  return before && scorerId(before);
}

function showAttempts(chunk: number, frozen: FrozenTable, attempts: readonly AttemptTally[]): string {
  const rows = frozen.chunks.find((other) => other.chunk === chunk)?.rows ?? 0;
  const found = attempts.filter((attempt) => attempt.chunk === chunk).map((attempt) => `${attempt.rows} in ${attempt.attempt}`);
  return `chunk ${chunk} has ${counted(rows, 'row')}; staged: ${found.length === 0 ? 'nothing' : found.join(', ')}`;
}

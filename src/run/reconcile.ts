import { counted, grouped } from '../domain/counted.ts';
import type { FrozenTable } from '../domain/frozen-table.ts';
import type { AttemptTally, Reconciliation } from '../domain/reconciliation.ts';
import { scorerId } from '../domain/scorer.ts';
import { addTextCounts } from '../domain/text-counts.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';
import { scorerNow } from './scorer.ts';

/**
 * rows frozen = rows scored + rows quarantined, with the same keys, chunk by chunk, counted by the warehouses.
 *
 * @param scoreEdges of the bins in which scores are counted; undefined where drift is not measured
 * @throws ScoreBatchError `conflict` where a chunk is missing, `refused` where the numbers or keys do not agree
 */
export async function reconcile(
  plan: Plan,
  frozen: FrozenTable,
  runId: string,
  scoreEdges: readonly number[] | undefined,
): Promise<Reconciliation> {
  if (!frozen.tapped) await plan.source.source.verify(frozen, plan.key);
  const { attempts, pinned, missing, mismatched, rejections, scoreCounts } = await plan.sink.sink.tally({
    runId,
    frozen,
    key: plan.key,
    keep: plan.keep,
    scorer: plan.execution && scorerId(scorerNow(plan.execution)),
    scoreEdges,
  });
  const staging = plan.sink.sink.stagingLocation(runId);
  if (mismatched.length > 0) {
    throw new ScoreBatchError(
      'refused',
      `the keys staged for chunk ${mismatched.join(', ')} are not the keys that were frozen`,
      {
        hint: `nothing was published; look at ${staging}, then start again`,
      },
    );
  }
  if (missing.length > 0) {
    throw new ScoreBatchError('conflict', `chunk ${missing.join(', ')} of ${frozen.chunks.length} has no complete attempt`, {
      details: missing.map((chunk) => showAttempts(chunk, frozen, attempts)),
      hint: 'start `score-batch score` for the same window, or the command that scores and publishes: only what is missing is scored',
    });
  }
  const scored = pinned.reduce((sum, attempt) => sum + attempt.scored, 0);
  const quarantined = rejections.reduce((sum, { rows }) => sum + rows, 0);
  if (scored + quarantined !== frozen.rows) {
    throw new ScoreBatchError(
      'refused',
      `${counted(frozen.rows, 'row was', 'rows were')} frozen, ${grouped(scored)} scored and ${grouped(quarantined)} quarantined`,
      {
        hint: `nothing was published; look at ${staging}, then start again`,
      },
    );
  }
  const texts = addTextCounts(pinned.map(({ facts }) => facts?.texts ?? {}));
  return { pinned, rows: { frozen: frozen.rows, scored, quarantined }, rejections, scoreCounts, texts };
}

function showAttempts(chunk: number, frozen: FrozenTable, attempts: readonly AttemptTally[]): string {
  const rows = frozen.chunks.find((other) => other.chunk === chunk)?.rows ?? 0;
  const found = attempts.filter((attempt) => attempt.chunk === chunk).map((attempt) => `${attempt.rows} in ${attempt.attempt}`);
  return `chunk ${chunk} has ${counted(rows, 'row')}; staged: ${found.length === 0 ? 'nothing' : found.join(', ')}`;
}

import { counted } from '../domain/counted.ts';
import type { FrozenTable } from '../domain/frozen-table.ts';
import { keepRows } from '../domain/kept-rows.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';
import type { ActiveRun } from './progress.ts';

/**
 * Freezes the window, or returns the frozen table that the run already has, or that of the run whose rows it scores again.
 *
 * @throws ScoreBatchError `nothing to score`, see `skipEmpty`
 */
export async function freezeWindow({ plan, progress, context }: ActiveRun, skipEmpty: boolean): Promise<FrozenTable> {
  const { console } = context;
  const { label } = plan.window;
  progress.clock.enter('freeze');
  if (plan.asOf !== undefined) {
    const { frozen } = plan.asOf;
    progress.frozen = frozen.id;
    console.info(`scoring the ${counted(frozen.rows, 'row')} of ${label} that run ${frozen.runId} read`);
    if (skipEmpty) refuseEmpty(plan, frozen);
    return frozen;
  }
  console.info(`freezing ${label}`);
  const frozen = await plan.source.freeze(plan.query, {
    runId: progress.runId,
    key: plan.key,
    columns: plan.needed,
    ...plan.sizing.chunking,
    hash: plan.kinds.source === plan.kinds.sink ? 'native' : 'md5',
    kept: keepRows(plan.job.definition.source.keep_rows, plan.key),
  });
  progress.frozen = frozen.id;
  console.info(`froze ${counted(frozen.rows, 'row')} of ${label} in ${counted(frozen.chunks.length, 'chunk')}`);
  if (skipEmpty) refuseEmpty(plan, frozen);
  return frozen;
}

/** Implements `--skip-empty`. @throws ScoreBatchError `nothing to score` if the window has no rows */
export function refuseEmpty({ window }: Plan, { rows }: FrozenTable): void {
  if (rows > 0) return;
  throw new ScoreBatchError('nothing to score', `the window ${window.label} has no rows and was skipped`);
}

import type { Context } from '../context.ts';
import { counted } from '../domain/counted.ts';
import type { FrozenTable } from '../domain/frozen-table.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';
import type { Progress } from './progress.ts';

/** Freezes the window, or finds what the run has frozen before. @throws ScoreBatchError `nothing to score`, see `skipEmpty` */
export async function freezeWindow(
  plan: Plan,
  skipEmpty: boolean,
  progress: Progress,
  { console }: Context,
): Promise<FrozenTable> {
  const { label } = plan.window;
  const { clock, runId } = progress;
  console.info(`freezing ${label}`);
  clock.enter('freeze');
  const frozen = await plan.source.source.freeze(plan.query, {
    runId,
    key: plan.key,
    columns: plan.needed,
    ...plan.sizing.chunking,
    hash: plan.source.kind === plan.sink.kind ? 'native' : 'md5',
  });
  progress.frozen = frozen.id;
  console.info(`froze ${counted(frozen.rows, 'row')} of ${label} in ${counted(frozen.chunks.length, 'chunk')}`);
  if (skipEmpty) refuseEmpty(plan, frozen);
  return frozen;
}

/** What `--skip-empty` asks for. @throws ScoreBatchError `nothing to score` where the window has no rows */
export function refuseEmpty({ window }: Plan, { rows }: FrozenTable): void {
  if (rows > 0) return;
  throw new ScoreBatchError('nothing to score', `the window ${window.label} has no rows and was skipped`);
}

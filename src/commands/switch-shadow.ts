import type { Context } from '../context.ts';
import type { ShadowTarget } from '../domain/shadow.ts';
import { ScoreBatchError } from '../errors.ts';
import type { SwitchOutput } from '../json/shadow.ts';
import { openWarehouses } from '../plan/warehouses.ts';
import { type SwitchSummary, switchShadow } from '../shadow/switch.ts';
import { namedJob } from './named-job.ts';
import type { JobFlags } from './options.ts';

export interface SwitchFlags extends JobFlags {
  readonly force?: boolean;
  readonly reason?: string;
  readonly dryRun?: boolean;
}

/** Switches what people read to the current table, or back to the batch. */
export async function switchShadowCommand(
  to: ShadowTarget,
  flags: SwitchFlags,
  context: Context,
): Promise<{ data: SwitchOutput; text: string }> {
  const { force = false, dryRun = false } = flags;
  const reason = flags.reason?.trim() || null;
  if (force && reason === null) {
    throw new ScoreBatchError('usage', '--force needs a reason', {
      hint: 'add --reason "…"; the ledger keeps the reason and what was overruled',
    });
  }
  const job = await namedJob(flags, context);
  const { sink, ledger, reachSink } = await openWarehouses(job, context);
  await reachSink();
  const data = await switchShadow(job, { sink, ledger }, { to, reason, force, dryRun });
  return { data, text: showSwitch(data) };
}

function showSwitch({ state, view, reads, run_id, windows, forced, refusals, reason }: SwitchSummary): string {
  const what = `${view} ${reads === 'current' ? 'shows the current table' : 'shows the scores of the batch'}`;
  const lines = {
    switched: `${what} from now on; recorded as ${run_id}`,
    'already switched': `${what} already${run_id === null ? '' : `, ${run_id}`}`,
    'would switch': `nothing was changed (--dry-run): ${view} would show ${reads === 'current' ? 'the current table' : 'the scores of the batch'}`,
  };
  return [
    lines[state],
    ...(windows.length > 0 ? [`  compared    within limits in ${windows.join(', ')}`] : []),
    ...(forced ? refusals.map((refusal) => `  overruled   ${refusal}`) : []),
    ...(reason === null ? [] : [`  reason      ${reason}`]),
  ].join('\n');
}

/** @throws ScoreBatchError `usage` if `--shadow` is combined with flags for something else */
export function refuseBeside(flags: object, names: Readonly<Record<string, string>>): void {
  const given = Object.entries(names).find(([name]) => (flags as Readonly<Record<string, unknown>>)[name] !== undefined);
  if (given === undefined) return;
  throw new ScoreBatchError('usage', `--shadow and ${given[1]} cannot be combined`, { hint: `remove ${given[1]}` });
}

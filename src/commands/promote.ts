import type { Context } from '../context.ts';
import { ScoreBatchError } from '../errors.ts';
import type { PromoteOutput } from '../json/changes.ts';
import { type PromoteSummary, promote } from '../promotion/promote.ts';
import { namedJob } from './named-job.ts';
import type { JobFlags } from './options.ts';
import { cleanReason } from './reason.ts';

export interface PromoteFlags extends JobFlags {
  readonly force?: boolean;
  readonly reason?: string;
  readonly dryRun?: boolean;
}

/** Replaces a job's model by its challenger. */
export async function promoteCommand(flags: PromoteFlags, context: Context): Promise<{ data: PromoteOutput; text: string }> {
  const { force = false, dryRun = false } = flags;
  const reason = cleanReason(flags.reason) || undefined;
  if (force && reason === undefined) {
    throw new ScoreBatchError('usage', '--force needs a reason', {
      hint: 'add --reason "…"; the ledger keeps the reason and what was overruled',
    });
  }
  const job = await namedJob(flags, context);
  const data = await promote(job, { force, reason, dryRun }, context);
  return { data, text: showPromotion(data) };
}

const VERBS: Readonly<Record<PromoteSummary['state'], string>> = {
  promoted: 'promoted',
  finished: 'finished the promotion of',
  'would be promoted': 'would promote',
};

function showPromotion(summary: PromoteSummary): string {
  const { state, job, run_id, from, to, windows, changes, forced, refusals, reason } = summary;
  const model = ({ name, version, digest }: PromoteSummary['to']) => `${name} ${version} (sha256 ${digest.slice(0, 12)}…)`;
  const done = run_id === null ? '' : `, ${run_id}`;
  return [
    `${VERBS[state]} ${model(to)} in ${job}${done}`,
    `  instead of  ${model(from)}`,
    ...(windows.length > 0 ? [`  compared    within the limits in ${windows.join(', ')}`] : []),
    ...(forced ? refusals.map((refusal) => `  overruled   ${refusal}`) : []),
    ...(reason === null ? [] : [`  reason      ${reason}`]),
    ...changes.map((change) => `  change      ${change}`),
  ].join('\n');
}

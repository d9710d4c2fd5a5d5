import type { Context } from '../context.ts';
import type { PlanOutput } from '../json/plan.ts';
import { makePlan } from '../plan/plan.ts';
import { paintDiff } from '../terminal/paint.ts';
import { canCount } from '../warehouse/source-capabilities.ts';
import { namedJob } from './named-job.ts';
import { chooseWindow, type JobFlags, type WindowOptions } from './options.ts';
import { describeChanges } from './plan-changes.ts';
import { showChanges } from './plan-changes-text.ts';
import { describeFacts } from './plan-facts.ts';
import { showFacts } from './plan-facts-text.ts';

export interface PlanFlags extends JobFlags, WindowOptions {
  readonly requireGpu?: boolean;
  readonly replaceOverlapping?: boolean;
  readonly asOf?: string;
}

interface Shown {
  readonly data: PlanOutput;
  readonly text: string;
  /** Colours the text. */
  readonly paint: typeof paintDiff;
}

/** Shows what a run would do, and what would change since the last publication. Moves no rows. */
export async function planCommand(flags: PlanFlags, context: Context): Promise<Shown> {
  const job = await namedJob(flags, context);
  const window = chooseWindow(flags, job.definition, context);
  const plan = await makePlan(
    job,
    window,
    {
      requireGpu: flags.requireGpu ?? false,
      workers: undefined,
      phase: 'all',
      replaceOverlapping: flags.replaceOverlapping,
      asOf: flags.asOf,
    },
    context,
  );
  const { source, asOf } = plan;
  const rows = asOf ? asOf.frozen.rows : canCount(source) ? await source.count(plan.query) : undefined;
  const facts = describeFacts(plan, rows, plan.estimatedBytes);
  const changes = await describeChanges(plan, facts);
  // If there is a publication to compare with, the diff covers the query.
  const query = changes.since === null || changes.changes?.unknown.includes('query') ? ['', facts.sql.trim()] : [];
  return {
    data: { ...facts, ...changes },
    text: [...showChanges(facts, changes, window.zone), '', showFacts(facts), ...query].join('\n'),
    paint: paintDiff,
  };
}

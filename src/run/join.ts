import type { Context } from '../context.ts';
import type { FrozenTable } from '../domain/frozen-table.ts';
import { currentPublication, type LedgerEntry, type Run, runsOf, unfinishedRun } from '../domain/ledger.ts';
import { gatesOf } from '../domain/refusal.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';
import { audit, publishedRun, refuseDifferences } from './audit.ts';
import { recordFailure } from './failure.ts';
import { type ActiveRun, windowFilter } from './progress.ts';
import { isRefusal, otherUnfinishedRuns, progressOf, showRun } from './unfinished.ts';

/** A run that has begun, and its frozen table; undefined if the run is published. */
export interface Joined {
  readonly active: ActiveRun;
  readonly frozen: FrozenTable | undefined;
}

/**
 * The unfinished run that `begin` would resume. Without one, the newest run with the same fingerprint if it is the published
 * one: a scheduler may repeat a successful step.
 *
 * @param skipPublished also accept a publication with another fingerprint, if there is no run with this one
 * @throws ScoreBatchError `conflict` if there is no such run; `refused` or `nothing to score` if the newest one ended that way
 */
export async function join(plan: Plan, skipPublished: boolean, context: Context): Promise<Joined> {
  const { subject } = context;
  plan.stages.enter('plan');
  const entries = await plan.ledger.entries(windowFilter(plan));
  const unfinished = unfinishedRun(entries, plan.fingerprint);
  if (unfinished && unfinished.state !== 'published') {
    const joined = await joinFrozen(plan, entries, unfinished, context);
    if (joined) return joined;
  }
  const published = unfinished?.state === 'published' ? unfinished : publishedNewest(plan, entries);
  if (published) return await joinPublished(plan, entries, published, context);
  const newest = newestRun(plan, entries);
  if (newest?.state === 'refused' || newest?.state === 'skipped') {
    subject.runId = newest.runId;
    throw ended(newest);
  }
  const other = skipPublished ? publishedRun(plan, entries) : undefined;
  if (other) return await joinPublished(plan, entries, other, context);
  const others = otherUnfinishedRuns(entries, plan.fingerprint);
  throw new ScoreBatchError('conflict', `nothing is frozen for ${plan.window.label} with this job file, query and model`, {
    details: others.map((run) => `unfinished, with another job file, query or model: ${showRun(run, plan.window.zone)}`),
    hint: 'run `score-batch freeze` for the same window first; pass --require-gpu to all steps or to none',
  });
}

/** @returns undefined if the run's rows are not frozen, or no longer */
async function joinFrozen(
  plan: Plan,
  entries: readonly LedgerEntry[],
  run: Run,
  context: Context,
): Promise<Joined | undefined> {
  context.subject.runId = run.runId;
  const progress = progressOf(plan, entries, run, context.began);
  const active = { plan, progress, context };
  const frozen = await plan.source.frozen(run.runId).catch(async (error: unknown) => {
    if (isRefusal(error)) await recordFailure(active, error);
    throw error;
  });
  if (frozen === undefined) return undefined;
  context.console.info(`resuming ${showRun(run, plan.window.zone)}`);
  progress.frozen = frozen.id;
  return { active, frozen };
}

/** @throws ScoreBatchError `refused` if the tables differ from what the run published */
async function joinPublished(plan: Plan, entries: readonly LedgerEntry[], run: Run, context: Context): Promise<Joined> {
  context.subject.runId = run.runId;
  refuseDifferences(await audit(plan, run), '`score-batch freeze` and the steps after it');
  return { active: { plan, progress: progressOf(plan, entries, run, context.began), context }, frozen: undefined };
}

function newestRun({ fingerprint }: Plan, entries: readonly LedgerEntry[]): Run | undefined {
  return runsOf(entries).findLast((run) => run.fingerprint === fingerprint);
}

function publishedNewest(plan: Plan, entries: readonly LedgerEntry[]): Run | undefined {
  const newest = newestRun(plan, entries);
  return newest?.runId === currentPublication(entries)?.runId ? newest : undefined;
}

/** Refused and skipped are final: data, limits or flags must change before a new run can succeed. */
function ended({ runId, state, details }: Run): ScoreBatchError {
  const error = details.error ?? 'the ledger gives no reason';
  if (state !== 'refused') return new ScoreBatchError('nothing to score', `run ${runId} was skipped: ${error}`);
  return new ScoreBatchError('refused', `run ${runId} was refused: ${error}`, {
    hint: `fix the cause, then start a new run with \`score-batch freeze\`${details.refused_by === undefined ? '' : `; or check the rows and publish them: \`score-batch publish --run ${runId} --accept ${gatesOf(details.refused_by).join(',')} --reason "…"\``}`,
  });
}

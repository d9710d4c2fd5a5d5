import { createHash } from 'node:crypto';
import type { Context } from '../context.ts';
import { begunPromotion } from '../domain/begun-promotion.ts';
import { challengerJob, challengerRun } from '../domain/challenger.ts';
import type { FrozenTable } from '../domain/frozen-table.ts';
import { currentPublication, type LedgerEntry, type Run, runsOf } from '../domain/ledger.ts';
import type { RecordedComparison } from '../domain/recorded-comparison.ts';
import { ALONE, type Shard } from '../domain/sharing.ts';
import { StageClock } from '../domain/stages.ts';
import { Interrupted, ScoreBatchError } from '../errors.ts';
import type { Challenger } from '../plan/challenger.ts';
import { challengerPlan, readyToScore, refuseUnfrozen } from '../plan/challenger-plan.ts';
import { registeredOf } from '../plan/located-job.ts';
import { superseded } from '../warehouse/superseded.ts';
import { compareWithChampion, showComparison } from './compare-challenger.ts';
import { recordFailure } from './failure.ts';
import { type ActiveRun, entryOf, windowFilter } from './progress.ts';
import { publishFrozen } from './publish.ts';
import { scoreFrozen } from './score.ts';

/** Outcome of a run's challenger; part of the output of `run --json`. */
export interface ChallengerSummary {
  readonly model: string;
  readonly run_id: string | null;
  readonly state: 'published' | 'not published';
  readonly comparison: RecordedComparison | null;
  readonly error: string | null;
}

/**
 * Scores the rows of a published run with the challenger, publishes them to its table, and compares the two. Comes after the
 * champion's publication and report, so that nobody waits for it whatever happens; and before the run is completed, so that if
 * the process is killed the next one finishes the run.
 *
 * @returns undefined if the job has no challenger, or the run is completed
 * @throws Interrupted if a signal ended the process. Any other failure becomes a warning and a ledger entry.
 */
export async function challenge(active: ActiveRun): Promise<ChallengerSummary | undefined> {
  const { plan, progress, context } = active;
  const { challenger } = plan;
  if (challenger === undefined || progress.state !== 'published') return undefined;
  progress.clock.enter('challenge');
  let own: ActiveRun | undefined;
  try {
    await warnOfPromotion(active);
    own = challengerOf(active, challenger);
    const comparison = await publishChallenger(active, own);
    const { model } = challenger;
    return { model, run_id: own.progress.runId, state: 'published', comparison: comparison ?? null, error: null };
  } catch (error) {
    if (error instanceof Interrupted || context.signal.aborted) throw error;
    const message = error instanceof Error ? error.message : String(error);
    if (own !== undefined) await recordFailure(own, error);
    else await recordProblem(active, challenger, message);
    const details = error instanceof ScoreBatchError ? error.details : [];
    context.console.warn([`the challenger ${challenger.model} was not published: ${message}`, ...details].join('\n'));
    const run_id = own?.progress.runId ?? null;
    return { model: challenger.model, run_id, state: 'not published', comparison: null, error: message };
  }
}

/** Warns if a promotion was killed before it changed the job, which then still runs the old model. */
async function warnOfPromotion({ plan, context }: ActiveRun): Promise<void> {
  const states = ['promoting', 'promoted', 'refused'] as const;
  const begun = begunPromotion(await plan.ledger.entries({ job: plan.job.definition.name, states }));
  if (begun === undefined) return;
  const { to } = begun.details.promotion;
  context.console.warn(
    `the promotion of ${to.name} ${to.version} has begun but is not finished: run \`score-batch promote\` to finish it`,
  );
}

/** Scores a shard of the challenger's chunks. Never fails: the publishing process scores what is missing. */
export async function scoreChallenger(active: ActiveRun, frozen: FrozenTable, shard: Shard): Promise<void> {
  const { plan, context } = active;
  if (plan.challenger === undefined) return;
  try {
    await scoreRows(active, challengerOf(active, plan.challenger), frozen, shard);
  } catch (error) {
    if (error instanceof Interrupted || context.signal.aborted) throw error;
    context.console.debug(`the challenger was not scored: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** @throws ScoreBatchError if the challenger cannot be published @returns undefined if there is nothing to compare */
async function publishChallenger(active: ActiveRun, own: ActiveRun): Promise<RecordedComparison | undefined> {
  const { plan, progress } = own;
  const before = await ownRun(own);
  if (before?.state === 'completed') return before.details.comparison;
  if (before?.state !== 'published') {
    const frozen = await frozenRows(active);
    const registered = registeredOf(plan.job);
    await plan.ledger.append(entryOf(own, 'started', { frozen: frozen.id, ...(registered && { registered }) }));
    const ready = await scoreRows(active, own, frozen, ALONE);
    await refuseSuperseded(active);
    if (!(await publishScored(ready, frozen))) progress.state = 'published';
  }
  const comparison = await compareWithChampion(active, own);
  await plan.ledger.append(entryOf(own, 'completed', comparison === undefined ? {} : { comparison }));
  own.context.console.info(showComparison(comparison, plan));
  return comparison;
}

/** @returns false if another process has published the challenger's run, even if that caused this one to fail */
async function publishScored(ready: ActiveRun, frozen: FrozenTable): Promise<boolean> {
  try {
    // The champion was allowed to publish an empty window.
    return await publishFrozen(ready, frozen, { allowEmpty: true });
  } catch (error) {
    const state = error instanceof Interrupted ? undefined : (await ownRun(ready))?.state;
    if (state === 'published' || state === 'completed') return false;
    throw error;
  }
}

async function scoreRows(active: ActiveRun, own: ActiveRun, frozen: FrozenTable, shard: Shard): Promise<ActiveRun> {
  refuseUnfrozen(own.plan, frozen.columns);
  const plan = await readyToScore(own.plan, active.plan.job, own.context);
  const ready = { ...own, plan, progress: { ...own.progress, supersedes: currentPublication(plan.entries) } };
  await scoreFrozen(ready, frozen, shard);
  return ready;
}

/** @throws ScoreBatchError `conflict` if they are gone: the run was tapped, or scratch was emptied */
async function frozenRows({ plan, progress }: ActiveRun): Promise<FrozenTable> {
  const frozen = plan.asOf?.frozen ?? (await plan.source.frozen(progress.runId));
  if (frozen !== undefined) return frozen;
  throw new ScoreBatchError('conflict', `the rows of run ${progress.runId} are no longer frozen`, {
    hint: 'wait for the next window, which both models score',
  });
}

/** @throws ScoreBatchError `conflict` if another run has published the window since the champion was published */
async function refuseSuperseded({ plan, progress }: ActiveRun): Promise<void> {
  const current = currentPublication(await plan.ledger.entries(windowFilter(plan)));
  if (current?.runId !== progress.runId) throw superseded(plan.window.label, current?.runId);
}

/** The challenger's run, from the ledger. */
async function ownRun({ plan, progress }: ActiveRun): Promise<Run | undefined> {
  return runsOf(await plan.ledger.entries(windowFilter(plan))).find(({ runId }) => runId === progress.runId);
}

/** @throws ScoreBatchError the challenger's problem, if it has one */
function challengerOf({ plan: champion, progress, context }: ActiveRun, challenger: Challenger): ActiveRun {
  const plan = challengerPlan(champion, challenger, context);
  return {
    plan,
    context: { ...context, console: marked(context.console) },
    progress: {
      runId: challengerRun(progress.runId, plan.fingerprint),
      clock: new StageClock(performance.now()),
      supersedes: undefined,
      state: 'started',
      rows: undefined,
      details: {},
    },
  };
}

/** Marks messages, so that they are not taken for the champion's. */
function marked(console: Context['console']): Context['console'] {
  const mark = (message: string) => `challenger: ${message}`;
  return {
    ...console,
    info: (message, fields) => console.info(mark(message), fields),
    warn: (message) => console.warn(mark(message)),
    debug: (message) => console.debug(mark(message)),
  };
}

/** Records why a challenger could not even be planned. */
async function recordProblem(active: ActiveRun, { model, bundle }: Challenger, error: string): Promise<void> {
  const { plan, progress, context } = active;
  const job = challengerJob(plan.job.definition.name);
  // There may be no bundle for a fingerprint.
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([plan.fingerprint, model]))
    .digest('hex');
  const { rows: _, ...entry }: LedgerEntry = {
    ...entryOf(active, 'failed', { challenger: model, error }),
    ...{ job, fingerprint, runId: challengerRun(progress.runId, fingerprint) },
    model: bundle
      ? { name: bundle.definition.name, version: bundle.definition.version, digest: bundle.digest }
      : { name: model, version: '', digest: '' },
  };
  try {
    await plan.ledger.append(entry);
  } catch (cause) {
    context.console.debug(`could not write to the ledger: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

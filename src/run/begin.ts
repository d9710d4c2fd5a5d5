import type { Context } from '../context.ts';
import { type LedgerEntry, type Run, unfinishedRun } from '../domain/ledger.ts';
import { showQuery } from '../domain/query.ts';
import type { RunDetails } from '../domain/run-details.ts';
import { registeredOf } from '../plan/located-job.ts';
import type { Plan } from '../plan/plan.ts';
import { VERSIONS } from '../versions.ts';
import { type Audited, audit, publishedRun, refuseDifferences } from './audit.ts';
import { refusedEntry } from './failure.ts';
import { type ActiveRun, entryOf, type Progress, windowFilter } from './progress.ts';
import { otherUnfinishedRuns, progressOf, resumableRun, showRun } from './unfinished.ts';

/** An unfinished run that began longer ago than this is not reported as concurrent. */
export const MAX_CONCURRENT_AGE_MS = 86_400_000;

export interface BeginOptions {
  /** Never resume an unfinished run. */
  readonly fresh: boolean;
  /** Accept the window's publication unchanged, even if from another job file, query or model. */
  readonly skipPublished: boolean;
}

/** What the ledger says about starting a run. */
interface BeginResult {
  readonly progress: Progress;
  /** The unfinished run to resume. */
  readonly resumed?: Run | undefined;
  /** Unfinished runs that compete with this one for the publish lock. */
  readonly concurrent?: readonly Run[];
  /** The unfinished run that `skipPublished` leaves alone. */
  readonly skipped?: Run | undefined;
  /** The error that makes the unfinished run impossible to resume. */
  readonly refused?: unknown;
}

/**
 * Starts a new run or resumes an unfinished one. The ledger entry is written before anything else is durable. Which run to
 * resume is decided while the ledger is locked: another process may have finished the run since the plan was made.
 *
 * @returns a run in the state `published` if only its report is missing, or `completed` if nothing is left to do
 */
export async function begin(plan: Plan, options: BeginOptions, context: Context): Promise<ActiveRun> {
  const { subject, began } = context;
  plan.stages.enter('plan');
  const audited = await auditPublished(plan, options.skipPublished, subject);
  const result = await plan.ledger.decide(windowFilter(plan), (entries) => decide({ plan, options, audited, entries, began }));
  const { progress, refused } = result;
  subject.runId = progress.runId;
  if (refused) throw refused;
  report(plan, result, audited, context);
  return { plan, progress, context };
}

interface Decision {
  readonly plan: Plan;
  readonly options: BeginOptions;
  readonly audited: Audited | undefined;
  readonly entries: readonly LedgerEntry[];
  readonly began: number;
}

/** @returns what to do, and the entry to record it */
async function decide({ plan, options, audited, entries, began }: Decision): Promise<{
  readonly append?: LedgerEntry;
  readonly result: BeginResult;
}> {
  const done = options.skipPublished ? publishedRun(plan, entries) : undefined;
  if (done) {
    const skipped = unfinishedRun(entries, plan.fingerprint);
    return { result: { progress: progressOf(plan, entries, done, began), skipped } };
  }
  const { run: unfinished, refused } = options.fresh ? {} : await resumableRun(plan, entries, audited);
  const progress = progressOf(plan, entries, unfinished, began);
  if (unfinished && refused) return { append: refusedEntry({ plan, progress }, refused), result: { progress, refused } };
  const concurrent = otherUnfinishedRuns(entries, plan.fingerprint);
  const result: BeginResult = { progress, resumed: unfinished, concurrent };
  if (progress.state === 'published') return { result };
  progress.state = 'started';
  const registered = registeredOf(plan.job);
  const append = entryOf({ plan, progress }, 'started', {
    supersedes: progress.supersedes?.runId ?? null,
    supersedes_publication: progress.supersedes?.number ?? null,
    source: plan.identity,
    ...queryOf(plan),
    versions: VERSIONS,
    ...(unfinished?.details.registered === undefined && registered && { registered }),
    ...(plan.slice && { slice: plan.slice.details }),
    ...(unfinished?.details.basis === undefined && plan.basis && { basis: plan.basis }),
  });
  return { append, result };
}

/** The query that returned the rows: this run's, or that of the run whose rows are scored again. */
function queryOf({ query, asOf }: Plan): RunDetails {
  if (asOf === undefined) {
    const parameters = Object.fromEntries(query.parameters.map(({ name, value }) => [name, value]));
    return { sql: showQuery(query), parameters };
  }
  const { sql, parameters } = asOf.run.details;
  return {
    as_of: { run_id: asOf.frozen.runId, frozen: asOf.frozen.id },
    ...(sql !== undefined && { sql }),
    ...(parameters && { parameters }),
  };
}

/** Reports which run is resumed, and which other runs the window has. */
function report(
  { window: { zone } }: Plan,
  { resumed, concurrent = [], skipped }: BeginResult,
  audited: Audited | undefined,
  { console }: Context,
): void {
  if (audited && audited.differences.length > 0) {
    console.warn(
      `run ${audited.run.runId} is published, but ${audited.differences.join('; ')}; the window will be published again`,
    );
  }
  if (resumed) console.info(`resuming ${showRun(resumed, zone)}`);
  for (const run of concurrent) {
    // A failed run has reported its failure, and no process is working on it.
    if (run.state !== 'started' || Date.now() - Date.parse(run.startedAt) >= MAX_CONCURRENT_AGE_MS) continue;
    console.warn(
      `${showRun(run, zone)}, has not finished; its job file, query or model is different, and the first to publish wins`,
    );
  }
  if (skipped && skipped.state !== 'published') {
    console.warn(`${showRun(skipped, zone)}, has not finished; run the same command without --skip-published to resume it`);
  }
}

/**
 * Audits the window's publication if the run would accept it as done. Must happen before the ledger is locked, since both may
 * be in one DuckDB file. A publication made in between was written just now.
 *
 * @throws ScoreBatchError `refused` if `skipPublished` would accept tables that someone changed
 */
async function auditPublished(plan: Plan, skipPublished: boolean, subject: Context['subject']): Promise<Audited | undefined> {
  const unfinished = unfinishedRun(plan.entries, plan.fingerprint);
  const done = skipPublished ? publishedRun(plan, plan.entries) : undefined;
  const run = done ?? (unfinished?.state === 'published' ? unfinished : undefined);
  if (run === undefined) return undefined;
  subject.runId = run.runId;
  const audited = await audit(plan, run);
  if (done) refuseDifferences(audited, 'the same command without --skip-published');
  return audited;
}

import { randomBytes } from 'node:crypto';
import type { Context } from '../context.ts';
import type { FrozenTable } from '../domain/frozen-table.ts';
import { currentPublication, type LedgerEntry, type Run, runsOf, unfinishedRun } from '../domain/ledger.ts';
import { showQuery } from '../domain/query.ts';
import { StageClock } from '../domain/stages.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';
import { VERSIONS } from '../versions.ts';
import { takesTaps } from '../warehouse/tapping.ts';
import { localTime } from '../window/local-time.ts';
import { type Audited, audit, publishedRun, refuseDifferences } from './audit.ts';
import { recordFailure, refusedEntry } from './failure.ts';
import { entryOf, type Progress, windowFilter } from './progress.ts';

/** An unfinished run that began so long ago, or longer, is no news to whoever starts beside it. */
const YOUNG_MS = 86_400_000;

export interface BeginOptions {
  /** Never go on with an unfinished run. */
  readonly fresh: boolean;
  /** Take the window's publication for the run, of whichever job file, query or model it is. */
  readonly skipPublished: boolean;
}

interface BeginResult {
  readonly progress: Progress;
  /** The unfinished run that is gone on with. */
  readonly resumed?: Run | undefined;
  /** Unfinished runs that this one may meet at the publish lock. */
  readonly concurrent?: readonly Run[];
  /** The unfinished run that `skipPublished` leaves as it is. */
  readonly skipped?: Run | undefined;
  /** Why the unfinished run can never be resumed. */
  readonly refused?: unknown;
}

/**
 * A new run, or an unfinished one to go on with. The ledger knows of it before anything else is durable, and what is gone on
 * with is decided with the ledger in hand: another process may have finished the run since the plan was made.
 *
 * @returns `published` or `completed` where there is nothing left but the report, or nothing at all
 */
export async function begin(
  plan: Plan,
  { fresh, skipPublished }: BeginOptions,
  { console, subject, began }: Context,
): Promise<Progress> {
  const audited = await auditPublished(plan, skipPublished, subject);
  const {
    progress,
    resumed,
    concurrent = [],
    skipped,
    refused,
  } = await plan.ledger.decide<BeginResult>(windowFilter(plan), async (entries) => {
    const done = skipPublished ? publishedRun(plan, entries) : undefined;
    if (done) {
      const result: BeginResult = {
        progress: progressOf(plan, entries, done, began),
        skipped: unfinishedRun(entries, plan.fingerprint),
      };
      return { result };
    }
    const { run: unfinished, refused } = fresh ? {} : await resumable(plan, entries, audited);
    if (unfinished && refused) {
      const left = progressOf(plan, entries, unfinished, began);
      return { append: refusedEntry(plan, left, refused), result: { progress: left, refused } };
    }
    const begun = progressOf(plan, entries, unfinished, began);
    const concurrent = othersUnfinished(entries, plan.fingerprint);
    const result: BeginResult = { progress: begun, resumed: unfinished, concurrent: concurrent };
    if (begun.state === 'published') return { result };
    begun.state = 'started';
    const append = entryOf(plan, begun, 'started', {
      supersedes: begun.supersedes?.runId ?? null,
      source: plan.identity,
      sql: showQuery(plan.query),
      parameters: Object.fromEntries(plan.query.parameters.map(({ name, value }) => [name, value])),
      versions: VERSIONS,
    });
    return { append, result };
  });
  subject.runId = progress.runId;
  if (refused) throw refused;
  if (audited && audited.differences.length > 0) {
    console.warn(`run ${audited.run.runId} is published, but ${audited.differences.join('; ')}: the window is published again`);
  }
  if (resumed) console.info(`going on with ${showRun(resumed, plan.window.zone)}`);
  // One that failed has said so, and nobody is at it.
  for (const run of concurrent.filter(
    ({ state, startedAt }) => state === 'started' && Date.now() - Date.parse(startedAt) < YOUNG_MS,
  )) {
    console.warn(
      `${showRun(run, plan.window.zone)}, has not finished, of another job file, query or model; whoever publishes first wins`,
    );
  }
  if (skipped && skipped.state !== 'published') {
    console.warn(
      `${showRun(skipped, plan.window.zone)}, has not finished; without --skip-published the same command goes on with it`,
    );
  }
  return progress;
}

/** A run that is begun already, with what it froze; nothing frozen where it is published. */
export interface Joined {
  readonly progress: Progress;
  readonly frozen: FrozenTable | undefined;
}

/**
 * The unfinished run that `begin` would go on with, or else the newest one of equal fingerprint where it is the published one: a
 * scheduler may repeat what was done.
 *
 * @param skipPublished take the publication of another fingerprint too, where there is nothing of this one
 * @throws ScoreBatchError `conflict` where there is none; `refused` or `nothing to score` where that is how the newest one ended
 */
export async function join(plan: Plan, skipPublished: boolean, context: Context): Promise<Joined> {
  const { console, subject, began } = context;
  const entries = await plan.ledger.entries(windowFilter(plan));
  const unfinished = unfinishedRun(entries, plan.fingerprint);
  const already = async (run: Run): Promise<Joined> => {
    subject.runId = run.runId;
    refuseDifferences(await audit(plan, run), '`score-batch freeze`, then the steps after it,');
    return { progress: progressOf(plan, entries, run, began), frozen: undefined };
  };
  if (unfinished?.state === 'published') return await already(unfinished);
  if (unfinished) {
    subject.runId = unfinished.runId;
    const progress = progressOf(plan, entries, unfinished, began);
    const frozen = await plan.source.source.frozen(unfinished.runId).catch(async (error: unknown) => {
      if (isRefusal(error)) await recordFailure(plan, progress, error, context);
      throw error;
    });
    if (frozen) {
      console.info(`going on with ${showRun(unfinished, plan.window.zone)}`);
      progress.frozen = frozen.id;
      return { progress, frozen };
    }
  }
  const newest = runsOf(entries).findLast(({ fingerprint }) => fingerprint === plan.fingerprint);
  if (newest && newest.runId === currentPublication(entries)?.runId) return await already(newest);
  if (newest?.state === 'refused' || newest?.state === 'skipped') {
    subject.runId = newest.runId;
    throw ended(newest);
  }
  const published = skipPublished ? publishedRun(plan, entries) : undefined;
  if (published) return await already(published);
  const others = othersUnfinished(entries, plan.fingerprint);
  throw new ScoreBatchError('conflict', `nothing is frozen for ${plan.window.label} with this job file, query and model`, {
    details: others.map((run) => `unfinished, of another job file, query or model: ${showRun(run, plan.window.zone)}`),
    hint: 'run `score-batch freeze` for the same window first; where one step has --require-gpu, all must have it',
  });
}

/** Both are final: what would be gone on with is over, and data, limits or flags must change first. */
function ended({ runId, state, details }: Run): ScoreBatchError {
  const hint = 'mend what it says, then begin a new run with `score-batch freeze`';
  const error = details.error ?? 'the ledger does not say why';
  if (state === 'refused') return new ScoreBatchError('refused', `run ${runId} was refused: ${error}`, { hint });
  return new ScoreBatchError('nothing to score', `run ${runId} was skipped: ${error}`);
}

/**
 * Takes over what another process of this very run has published.
 *
 * @returns whether there was such a thing
 * @throws as `takeOver`
 */
export async function adopt(plan: Plan, progress: Progress): Promise<boolean> {
  const run = await publishedMeanwhile(plan, progress);
  if (run === undefined) return false;
  takeOver(run, progress);
  return true;
}

/** This very run, where another process has published it. */
export async function publishedMeanwhile(plan: Plan, { runId }: Progress): Promise<Run | undefined> {
  const run = runsOf(await plan.ledger.entries(windowFilter(plan))).find((other) => other.runId === runId);
  return run?.state === 'published' || run?.state === 'completed' ? run : undefined;
}

/** @throws ScoreBatchError `conflict` where it was published from other frozen rows: two sources pass for one, or this process froze them too late */
export function takeOver(run: Run, progress: Progress): void {
  const { frozen } = run.details;
  if (frozen !== undefined && progress.frozen !== undefined && frozen !== progress.frozen) {
    throw new ScoreBatchError(
      'conflict',
      `run ${run.runId} was published from other frozen rows, by a process on ${run.host}`,
      {
        hint: 'where this process was held up for long, nothing is wrong; else two sources pass for one: give the jobs different names, or different sinks',
      },
    );
  }
  progress.state = run.state;
  progress.rows = run.rows;
  progress.details = run.details;
}

function progressOf(plan: Plan, entries: readonly LedgerEntry[], run: Run | undefined, began: number): Progress {
  // What ended the run before is told by the entry of then.
  const { error: _, ...details } = run?.details ?? {};
  return {
    runId: run?.runId ?? `${plan.window.label}-${randomBytes(6).toString('hex')}`,
    clock: new StageClock(began, run?.details.seconds),
    supersedes: currentPublication(entries),
    state: run?.state ?? 'started',
    rows: run?.rows,
    details,
  };
}

/** Unfinished runs of other fingerprints that may still be published. */
function othersUnfinished(entries: readonly LedgerEntry[], fingerprint: string): Run[] {
  const others = new Set(entries.map((entry) => entry.fingerprint).filter((other) => other !== fingerprint));
  return [...others].flatMap((other) => unfinishedRun(entries, other) ?? []).filter(({ state }) => state !== 'published');
}

/** `run 2026-W47-0123456789ab, which began at 2026-11-23 06:00 (Europe/Berlin) on HOST` */
function showRun({ runId, startedAt, startedOn }: Run, zone: string): string {
  return `run ${runId}, which began at ${localTime(startedAt, zone)} on ${startedOn}`;
}

/**
 * Looks at what the window's publication left in the tables, where the run would take it for done. Before the ledger is held:
 * both may be in one DuckDB file. What is published between the two has just been written.
 *
 * @throws ScoreBatchError `refused` where `skipPublished` would pass over tables that somebody changed
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

/**
 * Only where its frozen rows are still there, or nothing was scored yet, so that freezing again cannot mix two pictures. A
 * published run only where the tables still hold it.
 *
 * @returns `refused` beside a run whose frozen rows were written to by others
 */
async function resumable(
  plan: Plan,
  entries: readonly LedgerEntry[],
  audited: Audited | undefined,
): Promise<{ run?: Run; refused?: unknown }> {
  const run = unfinishedRun(entries, plan.fingerprint);
  if (run === undefined) return {};
  if (run.state === 'published') {
    const changed = audited?.run.runId === run.runId && audited.differences.length > 0;
    return changed ? {} : { run };
  }
  try {
    const frozen = await plan.source.source.frozen(run.runId);
    return frozen || (await isOneSnapshot(plan, run.runId)) ? { run } : {};
  } catch (refused) {
    if (!isRefusal(refused)) throw refused;
    return { run, refused };
  }
}

/** Whether what is staged of a run without a frozen table is one picture of the window: nothing, or a window that was tapped. */
async function isOneSnapshot({ sink: { sink } }: Plan, runId: string): Promise<boolean> {
  if (takesTaps(sink) && (await sink.tapped(runId)) !== undefined) return true;
  // What is damaged of a window that was tapped is gone now.
  return (await sink.staged(runId)).length === 0;
}

function isRefusal(error: unknown): boolean {
  return error instanceof ScoreBatchError && error.kind === 'refused';
}

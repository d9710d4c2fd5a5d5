import { randomBytes } from 'node:crypto';
import type { Context } from '../context.ts';
import type { FrozenTable } from '../domain/frozen-table.ts';
import { currentPublication, type LedgerEntry, type Run, runsOf, unfinishedRun } from '../domain/ledger.ts';
import { showQuery } from '../domain/query.ts';
import { StageClock } from '../domain/stages.ts';
import { showTableName } from '../domain/table-name.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';
import { VERSIONS } from '../versions.ts';
import { localTime } from '../window/local-time.ts';
import { entryOf, type Progress, windowFilter } from './progress.ts';

/** An unfinished run that began so long ago, or longer, is no news to whoever starts beside it. */
const YOUNG_MS = 86_400_000;

export interface BeginOptions {
  /** Never go on with an unfinished run. */
  readonly fresh: boolean;
  /** Take the window's publication for the run, of whichever job file, query or model it is. */
  readonly skipPublished: boolean;
}

interface Begun {
  readonly progress: Progress;
  /** The unfinished run that is gone on with. */
  readonly resumed?: Run | undefined;
  /** Unfinished runs that this one may meet at the gate. */
  readonly beside?: readonly Run[];
  /** The unfinished run that `skipPublished` leaves as it is. */
  readonly passed?: Run | undefined;
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
  const {
    progress,
    resumed,
    beside = [],
    passed,
  } = await plan.ledger.decide<Begun>(windowFilter(plan), async (entries) => {
    const done = skipPublished ? publishedRun(plan, entries) : undefined;
    if (done) {
      const result: Begun = {
        progress: progressOf(plan, entries, done, began),
        passed: unfinishedRun(entries, plan.fingerprint),
      };
      return { result };
    }
    const unfinished = fresh ? undefined : await resumable(plan, entries);
    const begun = progressOf(plan, entries, unfinished, began);
    const beside = othersUnfinished(entries, plan.fingerprint);
    const result: Begun = { progress: begun, resumed: unfinished, beside };
    if (begun.state === 'published') return { result };
    begun.state = 'started';
    const append = entryOf(plan, begun, 'started', {
      supersedes: begun.replaces?.runId ?? null,
      sql: showQuery(plan.query),
      parameters: Object.fromEntries(plan.query.parameters.map(({ name, value }) => [name, value])),
      versions: VERSIONS,
    });
    return { append, result };
  });
  subject.runId = progress.runId;
  if (resumed) console.info(`going on with ${showRun(resumed, plan.window.zone)}`);
  // One that failed has said so, and nobody is at it.
  for (const run of beside.filter(
    ({ state, startedAt }) => state === 'started' && Date.now() - Date.parse(startedAt) < YOUNG_MS,
  )) {
    console.warn(
      `${showRun(run, plan.window.zone)}, has not finished, of another job file, query or model; whoever publishes first wins`,
    );
  }
  if (passed && passed.state !== 'published') {
    console.warn(
      `${showRun(passed, plan.window.zone)}, has not finished; without --skip-published the same command goes on with it`,
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
export async function join(plan: Plan, skipPublished: boolean, { console, subject, began }: Context): Promise<Joined> {
  const entries = await plan.ledger.entries(windowFilter(plan));
  const joined = (run: Run, frozen?: FrozenTable): Joined => {
    subject.runId = run.runId;
    return { progress: progressOf(plan, entries, run, began), frozen };
  };
  const unfinished = unfinishedRun(entries, plan.fingerprint);
  if (unfinished?.state === 'published') return joined(unfinished);
  const frozen = unfinished && (await plan.source.source.frozen(unfinished.runId));
  if (unfinished && frozen) {
    console.info(`going on with ${showRun(unfinished, plan.window.zone)}`);
    return joined(unfinished, frozen);
  }
  const newest = runsOf(entries).findLast(({ fingerprint }) => fingerprint === plan.fingerprint);
  if (newest && newest.runId === currentPublication(entries)?.runId) return joined(newest);
  if (newest?.state === 'refused' || newest?.state === 'skipped') {
    subject.runId = newest.runId;
    throw ended(newest);
  }
  const published = skipPublished ? publishedRun(plan, entries) : undefined;
  if (published) return joined(published);
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

/** The window's published run where it is in the job's own table; undefined where there is none. */
function publishedRun(plan: Plan, entries: readonly LedgerEntry[]): Run | undefined {
  const current = currentPublication(entries);
  const run = runsOf(entries).find(({ runId }) => runId === current?.runId);
  return showTableName(run?.details.table ?? []) === showTableName(plan.tables.scores.name) ? run : undefined;
}

/** Takes over what another process of this very run has published. @returns whether there was such a thing */
export async function adopt(plan: Plan, progress: Progress): Promise<boolean> {
  const run = runsOf(await plan.ledger.entries(windowFilter(plan))).find(({ runId }) => runId === progress.runId);
  if (run?.state !== 'published' && run?.state !== 'completed') return false;
  progress.state = run.state;
  progress.rows = run.rows;
  progress.details = run.details;
  return true;
}

function progressOf(plan: Plan, entries: readonly LedgerEntry[], run: Run | undefined, began: number): Progress {
  // What ended the run before is told by the entry of then.
  const { error: _, ...details } = run?.details ?? {};
  return {
    runId: run?.runId ?? `${plan.window.label}-${randomBytes(6).toString('hex')}`,
    clock: new StageClock(began, run?.details.seconds),
    replaces: currentPublication(entries),
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

/** Only where its frozen rows are still there, or nothing was scored yet, so that freezing again cannot mix two pictures. */
async function resumable(plan: Plan, entries: readonly LedgerEntry[]): Promise<Run | undefined> {
  const unfinished = unfinishedRun(entries, plan.fingerprint);
  if (unfinished === undefined || unfinished.state === 'published') return unfinished;
  const frozen = await plan.source.source.frozen(unfinished.runId);
  return frozen || (await plan.sink.sink.staged(unfinished.runId)).length === 0 ? unfinished : undefined;
}

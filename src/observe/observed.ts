import type { Context } from '../context.ts';
import { currentPublication, ledgerWindow } from '../domain/ledger.ts';
import type { RunRows } from '../domain/rows.ts';
import type { RunDetails } from '../domain/run-details.ts';
import type { StageClock } from '../domain/stages.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';
import { CLOSE_MS, type ObservedEnd, type ObservedRun, type RunObserver } from './observer.ts';
import { observersOf } from './observers.ts';

/** A run in this process, as observers see it. */
interface Observable {
  readonly plan: Plan;
  readonly context: Context;
  /** Changes during the work. */
  readonly progress: {
    readonly runId: string;
    readonly clock: StageClock;
    readonly rows: RunRows | undefined;
    readonly details: RunDetails;
  };
}

/**
 * Works on a run that has begun, and notifies the invocation's observers when it begins and how it ends. Returns or throws what
 * `work` does, whatever observers do.
 *
 * @param work returns the state `published` or `already published` if it takes the run to its end, otherwise the name of a
 * phase
 */
export async function observed<T extends { readonly state: string }>(active: Observable, work: () => Promise<T>): Promise<T> {
  const observers = await observersOf(active.context);
  return observers.length === 0 ? await work() : await observedBy(observers, active, work);
}

/** `observed` with the given observers. */
export async function observedBy<T extends { readonly state: string }>(
  observers: readonly RunObserver[],
  active: Observable,
  work: () => Promise<T>,
): Promise<T> {
  const { plan, context, progress } = active;
  const run: ObservedRun = { plan, runId: progress.runId, began: epoch(context.began) };
  tell(observers, context, (observer) => observer.began(run));
  const tellEnd = (how: Pick<ObservedEnd, 'state' | 'publication' | 'error'>, when: ReturnType<typeof timesOf>): void => {
    const { rows, details } = progress;
    tell(observers, context, (observer) => observer.ended(run, { ...how, ...when, rows, details }));
  };
  let result: T;
  try {
    result = await work();
  } catch (error) {
    tellEnd({ state: failureOf(error), publication: undefined, error }, timesOf(progress.clock));
    throw error;
  }
  const times = timesOf(progress.clock);
  const { state } = result;
  if (state !== 'published' && state !== 'already published') tellEnd({ state: 'phase', publication: undefined }, times);
  else {
    const asked = observers.some(({ needsNoPublication }) => needsNoPublication !== true);
    tellEnd({ state, publication: asked ? await publicationOf(active) : undefined }, times);
  }
  return result;
}

/** An observer that throws is a bug of ours, and no reason to fail a run. */
function tell(observers: readonly RunObserver[], { console }: Context, what: (observer: RunObserver) => void): void {
  for (const observer of observers) {
    try {
      what(observer);
    } catch (error) {
      console.debug(`an observer of the run failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** Converts `performance.now()` milliseconds to epoch milliseconds. */
function epoch(ms: number): number {
  return performance.timeOrigin + ms;
}

function timesOf({ intervals, seconds }: StageClock): Pick<ObservedEnd, 'ended' | 'stages' | 'seconds'> {
  const stages = intervals.map(({ stage, began, ended }) => ({ stage, began: epoch(began), ended: epoch(ended) }));
  return { ended: epoch(performance.now()), stages, seconds };
}

/** Must match what `recordFailure` records. */
function failureOf(error: unknown): ObservedEnd['state'] {
  const kind = error instanceof ScoreBatchError ? error.kind : undefined;
  return kind === 'refused' ? 'refused' : kind === 'nothing to score' ? 'skipped' : 'failed';
}

/** Milliseconds that each invocation has spent waiting for publication numbers. A backfill has many. */
const waited = new WeakMap<object, number>();

/**
 * The publication's number. The warehouse assigns it in its own transaction, so it is read from the ledger; undefined if all
 * such reads of the invocation together take too long.
 */
async function publicationOf({ plan, progress, context }: Observable): Promise<number | undefined> {
  const invocation = context.invocation ?? context;
  const before = waited.get(invocation) ?? 0;
  if (before >= CLOSE_MS) return undefined;
  const began = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), CLOSE_MS - before);
  });
  const filter = { job: plan.job.definition.name, window: ledgerWindow(plan.window) };
  const reading = plan.ledger.entries(filter).then(currentPublication, () => undefined);
  const current = await Promise.race([reading, late]);
  clearTimeout(timer);
  waited.set(invocation, before + performance.now() - began);
  return current?.runId === progress.runId ? current.number : undefined;
}

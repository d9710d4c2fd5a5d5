import type { Context } from '../context.ts';
import { counted } from '../domain/counted.ts';
import type { Window } from '../domain/window.ts';
import { Interrupted, ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import { locatedJob } from '../plan/located-job.ts';
import { openWarehouses } from '../plan/warehouses.ts';
import { presentError } from '../terminal/error.ts';
import { subjectFields } from '../terminal/subject.ts';
import { workInOrder } from './in-order.ts';
import { findMissing, type WindowState } from './missing.ts';
import { runWindow, type WindowRunOptions } from './one-window.ts';
import { type Ended, failed, isFailure, showOutcome, succeeded, untouched, type WindowOutcome } from './outcome.ts';
import { shareResources } from './shares.ts';
import { windowContext } from './window-context.ts';

export interface BackfillOptions extends Omit<WindowRunOptions, 'skipPublished' | 'earlierEnded'> {
  /** Also run published windows. */
  readonly redo: boolean;
  /** Windows run in parallel. */
  readonly jobs: number;
  /** Whether a failing window ends the backfill. Windows that run beside it are still finished. */
  readonly stopAtFailure: boolean;
}

export interface Backfilled {
  /** One per window, oldest first. */
  readonly windows: readonly WindowOutcome[];
  /** The error to fail with; undefined if every window is published, or was skipped because it has no rows. */
  readonly failure: unknown;
}

/**
 * Runs the missing windows, oldest first. After a kill anywhere, the same call resumes: published windows are left alone, and
 * unfinished runs are resumed.
 *
 * @param windows of one grain, oldest first
 */
export async function backfill(
  named: Job,
  windows: readonly Window[],
  options: BackfillOptions,
  context: Context,
): Promise<Backfilled> {
  const { states, todo, job } = await stateOfWindows(named, windows, options, context);
  const [published, missing] = [states.filter(({ todo: why }) => why === undefined).length, todo.length];
  context.console.info(
    `${counted(states.length, 'window')}: ${published} published, ${missing} to run${options.jobs > 1 ? `, ${options.jobs} at once` : ''}`,
  );
  const share = shareResources(job.definition, {
    jobs: options.jobs,
    maxMemory: context.maxMemory,
    workers: options.workers,
  });
  const shared = { ...context, maxMemory: share.maxMemory };
  const ended = await workInOrder<WindowState, Ended>(
    todo,
    {
      atOnce: options.jobs,
      goOn: (one) => !context.signal.aborted && !isBug(one.error) && !(options.stopAtFailure && isFailure(one)),
    },
    (state, { earlierEnded }) =>
      runOne(
        job,
        state,
        { ...options, workers: share.workers, earlierEnded: options.jobs > 1 ? earlierEnded : undefined },
        shared,
      ),
  );
  const outcomes = new Map(todo.map(({ window }, i) => [window, ended[i]?.outcome] as const));
  return {
    windows: states.map(({ window, published, todo: why }) => {
      return outcomes.get(window) ?? untouched(window, why === undefined && !options.redo ? published : undefined);
    }),
    failure: failureOf(ended, todo.length - ended.length, context),
  };
}

/** The windows' states, and the job with its models located once, so that an alias means the same version in all windows. */
async function stateOfWindows(job: Job, windows: readonly Window[], { redo }: BackfillOptions, context: Context) {
  await using own = windowContext(context, '', { alone: true });
  const within = { ...context, atEnd: own.context.atEnd };
  const warehouses = await openWarehouses(job, within);
  const states = await findMissing(windows, job.definition, warehouses);
  const todo = states.filter(({ todo: why }) => redo || why !== undefined);
  const { ledger } = warehouses;
  return { states, todo, job: todo.length > 0 ? await locatedJob(job, within, { ledger }) : job };
}

/** Never rejects. */
async function runOne(
  job: Job,
  { window, todo }: WindowState,
  options: Omit<WindowRunOptions, 'skipPublished'>,
  context: Context,
): Promise<Ended> {
  const began = performance.now();
  const seconds = () => Math.round(performance.now() - began) / 1000;
  await using own = windowContext(context, window.label, { alone: options.earlierEnded === undefined });
  const { subject } = own.context;
  let ended: Ended;
  try {
    // Another process may have published the window meanwhile.
    const skipPublished = todo === 'not published';
    const summary = await runWindow(job, window, { ...options, skipPublished }, own.context);
    ended = succeeded(window, summary, seconds());
  } catch (error) {
    ended = failed(window, subject.runId, error, seconds());
  }
  show(ended, own.context, context);
  return ended;
}

/** Shows one line, and the error if there is one. */
function show({ outcome, error }: Ended, { console, subject }: Context, { console: shared }: Context): void {
  shared.info(showOutcome(outcome), { ...subjectFields(subject), outcome });
  // An interruption ends the command, which reports it.
  if (error === undefined || error instanceof Interrupted) return;
  console.error(presentError(error, subject).text, { ...outcome.error });
}

function isBug(error: unknown): boolean {
  return error !== undefined && !(error instanceof ScoreBatchError) && !(error instanceof Interrupted);
}

/** The exit code is that of the first window that failed. */
function failureOf(ended: readonly Ended[], notStarted: number, { signal }: Context): unknown {
  if (signal.aborted) return signal.reason;
  const failures = ended.filter(isFailure);
  const bug = failures.find(({ error }) => isBug(error));
  if (bug) return bug.error;
  const first = failures[0]?.error;
  if (!(first instanceof ScoreBatchError)) return first;
  const labels = failures.map(({ outcome }) => outcome.window.label);
  const rest =
    notStarted === 0 ? '' : `; ${counted(notStarted, 'window')} after it ${notStarted === 1 ? 'was' : 'were'} not started`;
  return new ScoreBatchError(first.kind, `${counted(labels.length, 'window')} failed: ${labels.join(', ')}${rest}`, {
    hint:
      notStarted === 0
        ? 'run the same command again to run the windows that are still missing'
        : 'run the same command again to run the windows that are still missing; with --on-refusal continue, a failed window does not stop the others',
  });
}

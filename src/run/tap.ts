import type { Context } from '../context.ts';
import { newAttemptId, newFrozenId, scorerOf } from '../domain/attempt-id.ts';
import { counted } from '../domain/counted.ts';
import type { FrozenTable } from '../domain/frozen-table.ts';
import { type Scorer, scorerId, showScorer } from '../domain/scorer.ts';
import { featuresOf } from '../domain/signature.ts';
import type { TappedWindow } from '../domain/tapped-window.ts';
import { addTextCounts } from '../domain/text-counts.ts';
import { addWorkerTime, NO_WORKER_TIME } from '../domain/worker-time.ts';
import type { Plan } from '../plan/plan.ts';
import type { TapPlan } from '../plan/tap.ts';
import { writeRejected } from '../tap/rejected.ts';
import { type Tapped, tapWindow } from '../tap/tap.ts';
import type { TapThreads } from '../tap/threads.ts';
import { isEmbedded, takesTaps } from '../warehouse/tapping.ts';
import { refuseEmpty } from './freeze.ts';
import type { Progress } from './progress.ts';
import { scorerNow } from './scorer.ts';
import { noteDevices, noteHalved, noteWorkers } from './size-notes.ts';
import { tapTime } from './tap-time.ts';

export interface TapRunOptions {
  readonly tap: TapPlan;
  readonly threads: TapThreads;
  readonly skipEmpty: boolean;
}

/** A row of an earlier attempt is found in less time than this; a faster model scores it again. */
const REUSE_SECONDS = 3e-6;

/**
 * Scores the window's rows on their way out of the query, and stages them: nothing is frozen. What a process that was killed has
 * left is taken where key and features are the same.
 *
 * @returns the window as reconcile knows it
 * @throws ScoreBatchError `nothing to score`, see `skipEmpty`
 */
export async function scoreTapped(
  plan: Plan,
  options: TapRunOptions,
  progress: Progress,
  context: Context,
): Promise<FrozenTable> {
  const { console } = context;
  const { runId, clock } = progress;
  const { sink } = plan.sink;
  const { execution } = plan;
  if (execution === undefined || !takesTaps(sink)) throw new Error('nothing was planned to score on the way');
  clock.enter('score');
  const scorer = scorerNow(execution);
  let window = await sink.tapped(runId);
  if (window !== undefined && scorerOf(window.attempt) !== scorerId(scorer)) {
    console.warn(
      `${counted(window.frozen.rows, 'row was', 'rows were')} scored by another scorer and will not be used: this one is ${showScorer(scorer)}`,
    );
    window = undefined;
  }
  if (window) {
    console.info(
      `${counted(window.frozen.rows, 'row')} of ${plan.window.label} ${window.frozen.rows === 1 ? 'is' : 'are'} staged already`,
    );
    progress.details = {
      ...progress.details,
      chunks: window.frozen.chunks.length,
      chunks_resumed: window.frozen.chunks.length,
    };
  } else {
    console.info(`scoring ${plan.window.label}`);
    // Also of what fails.
    progress.details = { ...progress.details, chunks_resumed: 0, execution };
    window = await scoreAnew(plan, options, scorer, progress, context);
    progress.details = { ...progress.details, chunks: window.frozen.chunks.length };
  }
  const { frozen } = window;
  if (options.skipEmpty) refuseEmpty(plan, frozen);
  return frozen;
}

async function scoreAnew(
  plan: Plan,
  { tap, threads }: TapRunOptions,
  scorer: Scorer,
  progress: Progress,
  context: Context,
): Promise<TappedWindow> {
  const { console, environment, now, signal } = context;
  const { sink } = plan.sink;
  const { source } = plan.source;
  const { execution, bundle, key, keep, features, job } = plan;
  if (execution === undefined || !takesTaps(sink) || !isEmbedded(source))
    throw new Error('nothing was planned to score on the way');
  const { runId } = progress;
  const id = newFrozenId();
  const attempt = newAttemptId(id, scorerId(scorer));
  const earlier = tap.rowSeconds < REUSE_SECONDS ? [] : await sink.earlier(runId, scorerId(scorer));
  const folder = await sink.tapFolder(runId, attempt, tap.batchRows);
  const { devices, provider } = execution;
  const { columns } = tap;
  noteDevices(plan.sizing, provider, context);
  noteWorkers(tap.workers, tap.bound, plan.sizing, context);
  const began = performance.now();
  const loop = performance.eventLoopUtilization();
  const bar = console.progress('scoring rows');
  let tapped: Tapped;
  try {
    tapped = await tapWindow({
      threads,
      session: source.session(plan.query),
      model: { file: bundle.file, digest: bundle.digest },
      signature: bundle.signature,
      requireGpu: plan.requireGpu,
      ...{ key, keep, features, columns, earlier, folder, devices, signal },
      seconds: tap.seconds,
      ...{ workers: tap.workers, slots: tap.slots, batchRows: tap.batchRows },
      advance: (rows) => bar.advance(rows),
    });
  } catch (error) {
    if (!signal.aborted) await sink.giveUp(runId, folder).catch(() => undefined);
    throw error;
  } finally {
    bar.stop();
  }
  const { entered, worked } = tapped;
  const time = tapTime(worked, (performance.now() - began) / 1000, performance.eventLoopUtilization(loop).active / 1000);
  const halved = worked.flatMap(({ halvedTo }) => halvedTo ?? []);
  progress.details = {
    ...progress.details,
    workers: addWorkerTime(progress.details.workers ?? NO_WORKER_TIME, time),
  };
  if (halved.length > 0) noteHalved(provider, Math.min(...halved), progress, context);
  const reused = worked.reduce((sum, worker) => sum + worker.reused, 0);
  if (reused > 0) console.info(`${counted(reused, 'score')} of an earlier start ${reused === 1 ? 'was' : 'were'} used again`);
  const { rows, checksum, duplicates } = entered;
  const whole = {
    frozen: {
      id,
      runId,
      columns: plan.needed,
      chunks: rows === 0 ? [] : [{ chunk: 0, rows, checksum }],
      divisions: 1,
      rows,
      duplicates,
      hash: 'native' as const,
      tapped: true,
    },
    attempt,
    provider,
    facts: { scorer, texts: addTextCounts(worked.map(({ texts }) => texts)) },
    scoredAt: new Date(now).toISOString(),
    batchRows: tap.batchRows,
    keys: key.length,
    kept: keep.length,
  };
  const rejections = [...new Set(worked.flatMap((worker) => worker.rejections))].sort((a, b) => a - b);
  const someRejected = rejections.length > 0 || duplicates > 0 || entered.nullKeys > 0;
  const toReject = {
    ...{ folder, key, keep, features, columns, rejections, duplicates, window: whole },
    featureNames: featuresOf(bundle.signature).map(({ feature }) => feature.name),
    hashValues: job.definition.sink.quarantine_values === 'hash',
    hashKey: environment.SCORE_BATCH_HASH_KEY || undefined,
  };
  const reject = (): Promise<number> => sink.compute(runId, (database) => writeRejected(database, toReject));
  const window = { ...whole, rejected: someRejected ? await reject() : 0 };
  if (rows > 0) await sink.stageTapped(runId, folder, window);
  return window;
}

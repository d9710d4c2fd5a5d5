import { newAttemptId, newFrozenId, scorerOf } from '../domain/attempt-id.ts';
import { counted } from '../domain/counted.ts';
import type { FrozenTable } from '../domain/frozen-table.ts';
import { type Scorer, scorerId, showScorer } from '../domain/scorer.ts';
import { featuresOf } from '../domain/signature.ts';
import type { TappedWindow } from '../domain/tapped-window.ts';
import { addTextCounts } from '../domain/text-counts.ts';
import { addWorkerTime, NO_WORKER_TIME } from '../domain/worker-time.ts';
import { rowsBefore } from '../plan/publications.ts';
import type { TapPlan } from '../plan/tap.ts';
import { writeRejected } from '../tap/rejected.ts';
import { type TapOptions, type Tapped, tapWindow } from '../tap/tap.ts';
import type { TapThreads } from '../tap/threads.ts';
import { isEmbedded, takesTaps } from '../warehouse/tapping.ts';
import { refuseEmpty } from './freeze.ts';
import type { ActiveRun } from './progress.ts';
import { scorerNow } from './scorer.ts';
import { noteDevices, noteHalved, noteWorkers } from './size-notes.ts';
import { tapTime } from './tap-time.ts';

export interface TapRunOptions {
  readonly tap: TapPlan;
  readonly threads: TapThreads;
  readonly skipEmpty: boolean;
}

/** Seconds to look up a row of an earlier attempt. A faster model scores rows again instead. */
const REUSE_SECONDS = 3e-6;

/**
 * Taps the window's rows: scores and stages them as the query returns them, without a frozen table. Reuses scores that a killed
 * process left, if key and features are the same.
 *
 * @returns the window as a frozen table, for reconcile
 * @throws ScoreBatchError `nothing to score`, see `skipEmpty`
 */
export async function scoreTapped(active: ActiveRun, options: TapRunOptions): Promise<FrozenTable> {
  const { plan, progress, context } = active;
  const { sink, execution } = plan;
  if (execution === undefined || !takesTaps(sink)) throw new Error('the plan does not score rows as the query returns them');
  progress.clock.enter('score');
  const scorer = scorerNow(execution);
  let window = await sink.tapped(progress.runId);
  if (window !== undefined && scorerOf(window.attempt) !== scorerId(scorer)) {
    context.console.warn(
      `${counted(window.frozen.rows, 'row was', 'rows were')} scored by another scorer and will not be reused; this run uses ${showScorer(scorer)}`,
    );
    window = undefined;
  }
  if (window) {
    const { rows, chunks } = window.frozen;
    context.console.info(`${counted(rows, 'row')} of ${plan.window.label} ${rows === 1 ? 'is' : 'are'} already staged`);
    progress.details = { ...progress.details, chunks: chunks.length, chunks_resumed: chunks.length };
  } else {
    context.console.info(`scoring ${plan.window.label}`);
    // Recorded before scoring, so that a failed run's entry has them, too.
    progress.details = { ...progress.details, chunks_resumed: 0, execution };
    window = await scoreAnew(active, options, scorer);
    progress.details = { ...progress.details, chunks: window.frozen.chunks.length };
  }
  const { frozen } = window;
  if (options.skipEmpty) refuseEmpty(plan, frozen);
  return frozen;
}

async function scoreAnew(active: ActiveRun, { tap, threads }: TapRunOptions, scorer: Scorer): Promise<TappedWindow> {
  const { plan, progress, context } = active;
  const { source, sink, execution, bundle, key, keep, features, job } = plan;
  if (execution === undefined || !takesTaps(sink) || !isEmbedded(source))
    throw new Error('the plan does not score rows as the query returns them');
  const { console, environment, now, signal } = context;
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
  let done = 0;
  // Expect as many rows as last time: the database's estimate for a new query may be wrong by an order of magnitude.
  const last = progress.supersedes?.rows ?? rowsBefore(plan);
  plan.stages.count({ done: () => done, total: last?.frozen, about: true });
  let tapped: Tapped;
  try {
    const tapOptions: TapOptions = {
      threads,
      session: source.session(plan.query),
      model: { file: bundle.file, digest: bundle.digest },
      signature: bundle.signature,
      requireGpu: plan.requireGpu,
      ...{ key, keep, features, columns, earlier, folder, devices, signal },
      seconds: tap.seconds,
      ...{ workers: tap.workers, slots: tap.slots, batchRows: tap.batchRows },
      advance(scored) {
        done += scored;
      },
    };
    tapped = await source.alone(() => tapWindow(tapOptions));
  } catch (error) {
    if (!signal.aborted) await sink.giveUp(runId, folder).catch(() => undefined);
    throw error;
  }
  const { entered, worked } = tapped;
  const time = tapTime(worked, (performance.now() - began) / 1000, performance.eventLoopUtilization(loop).active / 1000);
  const halved = worked.flatMap(({ halvedTo }) => halvedTo ?? []);
  progress.details = {
    ...progress.details,
    workers: addWorkerTime(progress.details.workers ?? NO_WORKER_TIME, time),
  };
  if (halved.length > 0) noteHalved(active, provider, Math.min(...halved));
  const reused = worked.reduce((sum, worker) => sum + worker.reused, 0);
  if (reused > 0) console.info(`reused ${counted(reused, 'score')} of an earlier process`);
  const { rows, checksum, duplicates } = entered;
  // The last batch is smaller than the others.
  done = rows;
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

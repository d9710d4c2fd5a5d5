import type { Context } from '../context.ts';
import type { StagedAttempt } from '../domain/attempt.ts';
import { isOfFrozen, scorerOf } from '../domain/attempt-id.ts';
import { counted, grouped } from '../domain/counted.ts';
import type { FrozenTable } from '../domain/frozen-table.ts';
import { type Scorer, scorerId, showScorer } from '../domain/scorer.ts';
import type { Shard } from '../domain/sharing.ts';
import { addWorkerTime, NO_WORKER_TIME, type WorkerTime } from '../domain/worker-time.ts';
import type { Plan } from '../plan/plan.ts';
import { scoreChunks } from '../score/pool.ts';
import { fitFrozen } from '../sizing/run-sizing.ts';
import type { Progress } from './progress.ts';
import { scorerNow } from './scorer.ts';
import { shareChunks } from './share.ts';
import { noteDevices, noteHalved, noteWorkers } from './size-notes.ts';
import { WorkerClock } from './worker-clock.ts';

/** What one process did of the run's chunks. */
export interface Scored {
  readonly chunks: number;
  readonly rows: number;
  /** Chunks per execution provider that served. */
  readonly providers: Readonly<Record<string, number>>;
  readonly time: WorkerTime;
}

/** Scores and stages chunks until every one of them is staged whole, by this process or another one of the run. */
export async function scoreFrozen(
  plan: Plan,
  frozen: FrozenTable,
  shard: Shard,
  progress: Progress,
  context: Context,
): Promise<Scored> {
  const { sink } = plan.sink;
  const { runId } = progress;
  progress.clock.enter('score');
  const { definition } = plan.job;
  const { console, signal } = context;
  const folder = await sink.workFolder(runId);
  const { execution } = plan;
  if (execution === undefined) throw new Error('nothing was planned to run the model on');
  const scorer = scorerNow(execution);
  const memoryPlan = fitFrozen(plan.sizing, frozen);
  const { workers } = memoryPlan;
  noteWorkers(workers, plan.sizing.bound.bytes, plan.sizing, context);
  let staged: readonly StagedAttempt[] = [];
  const share = await shareChunks({
    frozen,
    scorer: scorerId(scorer),
    shard,
    workers,
    listStaged: async () => {
      staged = await sink.staged(runId);
      return staged;
    },
    found: (chunks) => bar.advance(chunks),
  });
  const others = countOtherScorers(frozen, scorer, staged);
  if (others > 0) {
    console.warn(
      `${counted(others, 'chunk was', 'chunks were')} scored by another scorer and will not be used: this one is ${showScorer(scorer)}`,
    );
  }
  const chunks = frozen.chunks.length;
  const open = chunks - share.resumed;
  progress.details = { ...progress.details, chunks, chunks_resumed: share.resumed, ...(open > 0 && { execution }) };
  if (share.resumed > 0)
    console.info(
      `${grouped(share.resumed)} of ${counted(chunks, 'chunk')} ${share.resumed === 1 ? 'is' : 'are'} staged already`,
    );
  if (open > 0) noteDevices(plan.sizing, execution.provider, context);
  const scored = { chunks: 0, rows: 0, providers: {} as Record<string, number>, time: NO_WORKER_TIME };
  if (open === 0) return scored;
  const earlier = progress.details.workers ?? NO_WORKER_TIME;
  const clock = new WorkerClock(Math.min(workers, open));
  const bar = console.progress('scoring chunks', open);
  try {
    await scoreChunks(
      open,
      share.next,
      async (file, seconds) => {
        clock.scored(file, seconds);
        await clock.staging(() => sink.stage(runId, file));
        console.debug(`chunk ${file.chunk}: ${counted(file.rows, 'row')} on ${file.provider}`);
        if (file.halvedTo !== undefined) noteHalved(file.provider, file.halvedTo, progress, context);
        share.staged(file.chunk);
        scored.chunks += 1;
        scored.rows += file.rows;
        scored.providers[file.provider] = (scored.providers[file.provider] ?? 0) + 1;
        bar.advance(1);
      },
      {
        workers,
        signal,
        model: { file: plan.bundle.file, digest: plan.bundle.digest },
        scorer,
        signature: plan.bundle.signature,
        key: plan.key,
        keep: plan.keep,
        features: plan.features,
        devices: execution.devices,
        requireGpu: plan.requireGpu,
        batchRows: memoryPlan.batchRows,
        smallHeap: plan.source.kind === 'duckdb',
        source: plan.sourceAccess,
        frozen,
        stagesText: sink.stagesText,
        hashValues: definition.sink.quarantine_values === 'hash',
        hashKey: context.environment.SCORE_BATCH_HASH_KEY || undefined,
        scoredAt: new Date(context.now).toISOString(),
        folder,
        memory: memoryPlan.database,
      },
    );
  } finally {
    bar.stop();
    scored.time = clock.time;
    // Also of what failed: the next process adds its own.
    progress.details = { ...progress.details, workers: addWorkerTime(earlier, scored.time) };
  }
  return scored;
}

/** Chunks of which there is an attempt of this frozen table by another scorer. */
function countOtherScorers({ id }: FrozenTable, scorer: Scorer, staged: readonly StagedAttempt[]): number {
  const own = scorerId(scorer);
  const others = staged.filter(({ attempt }) => isOfFrozen(attempt, id) && scorerOf(attempt) !== own);
  return new Set(others.map(({ chunk }) => chunk)).size;
}

import type { Context } from '../context.ts';
import type { FrozenTable } from '../domain/frozen-table.ts';
import type { Shard } from '../domain/sharing.ts';
import { addWorkerTime, NO_WORKER_TIME, type WorkerTime } from '../domain/worker-time.ts';
import { memoryBudget, workerMemory } from '../memory.ts';
import type { Plan } from '../plan/plan.ts';
import { scoreChunks } from '../score/pool.ts';
import { batchRows, workerCount } from '../score/sizing.ts';
import type { Progress } from './progress.ts';
import { shareChunks } from './share.ts';
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
  const workers = workerCount(plan.workers, execution);
  const share = await shareChunks({
    frozen,
    shard,
    workers,
    look: () => sink.staged(runId),
    found: (chunks) => bar.advance(chunks),
  });
  const chunks = frozen.chunks.length;
  const open = chunks - share.resumed;
  progress.details = { ...progress.details, chunks, chunks_resumed: share.resumed, ...(open > 0 && { execution }) };
  if (share.resumed > 0) console.info(`${share.resumed} of ${chunks} chunks are staged already`);
  if (plan.workers !== undefined && workers < plan.workers && open > 0) {
    console.info(`${workers} of ${plan.workers} workers: ${execution.provider} takes one for each device`);
  }
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
        console.debug(`chunk ${file.chunk}: ${file.rows} rows on ${file.provider}`);
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
        signature: plan.bundle.signature,
        key: plan.key,
        keep: plan.keep,
        features: plan.features,
        devices: execution.devices,
        requireGpu: plan.requireGpu,
        batchRows: batchRows(definition.score.batch_rows),
        source: plan.sourceAccess,
        frozen,
        stagesText: sink.stagesText,
        hashValues: definition.sink.quarantine_values === 'hash',
        hashKey: context.environment.SCORE_BATCH_HASH_KEY || undefined,
        scoredAt: new Date(context.now).toISOString(),
        folder,
        memory: workerMemory(memoryBudget(context.environment)),
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

/** Told once, and again only where it gets worse. */
function noteHalved(provider: string, rows: number, progress: Progress, { console }: Context): void {
  const { batch_rows_halved_to: known = Number.POSITIVE_INFINITY } = progress.details;
  if (rows >= known) return;
  progress.details = { ...progress.details, batch_rows_halved_to: rows };
  console.info(
    `${provider} ran out of memory and goes on with batches of ${rows} rows; score.batch_rows: ${rows} saves the attempt`,
  );
}

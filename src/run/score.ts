import type { ScoredFile, StagedAttempt } from '../domain/attempt.ts';
import { isOfFrozen, scorerOf } from '../domain/attempt-id.ts';
import { counted, grouped } from '../domain/counted.ts';
import type { Execution } from '../domain/execution.ts';
import type { FrozenTable } from '../domain/frozen-table.ts';
import { type Scorer, scorerId, showScorer } from '../domain/scorer.ts';
import type { Shard } from '../domain/sharing.ts';
import { addWorkerTime, NO_WORKER_TIME, type WorkerTime } from '../domain/worker-time.ts';
import { type PoolOptions, scoreChunks } from '../score/pool.ts';
import type { MemoryPlan } from '../sizing/memory-plan.ts';
import { fitFrozen } from '../sizing/run-sizing.ts';
import type { ActiveRun } from './progress.ts';
import { scorerNow } from './scorer.ts';
import { type Share, shareChunks } from './share.ts';
import { noteDevices, noteHalved, noteWorkers } from './size-notes.ts';
import { WorkerClock } from './worker-clock.ts';

/** This process's share of a run's scoring. */
export interface Scored {
  readonly chunks: number;
  readonly rows: number;
  /** Chunks per execution provider. */
  readonly providers: Readonly<Record<string, number>>;
  readonly time: WorkerTime;
}

const NOTHING_SCORED: Scored = { chunks: 0, rows: 0, providers: {}, time: NO_WORKER_TIME };

/** Scores and stages chunks until all are staged, by this or other processes of the run. */
export async function scoreFrozen(active: ActiveRun, frozen: FrozenTable, shard: Shard): Promise<Scored> {
  active.progress.clock.enter('score');
  const work = await prepare(active, frozen, shard);
  noteStaged(active, work);
  return work.open === 0 ? NOTHING_SCORED : await scoreOpen(active, work);
}

/** What is needed to score the chunks of a frozen table. */
interface ScoreWork {
  readonly frozen: FrozenTable;
  readonly execution: Execution;
  readonly scorer: Scorer;
  readonly memoryPlan: MemoryPlan;
  /** Local folder for the workers' output. */
  readonly folder: string;
  readonly share: Share;
  /** Chunks that are not staged yet. */
  readonly open: number;
}

async function prepare({ plan, progress, context }: ActiveRun, frozen: FrozenTable, shard: Shard): Promise<ScoreWork> {
  const { execution, sink, sizing } = plan;
  const { runId } = progress;
  const folder = await sink.workFolder(runId);
  if (execution === undefined) throw new Error('the plan has no provider to score with');
  const scorer = scorerNow(execution);
  const memoryPlan = fitFrozen(sizing, frozen);
  const { workers } = memoryPlan;
  noteWorkers(workers, sizing.bound.bytes, sizing, context);
  const listStaged = () => sink.staged(runId);
  const share = await shareChunks({ frozen, scorer: scorerId(scorer), shard, workers, listStaged });
  return { frozen, execution, scorer, memoryPlan, folder, share, open: frozen.chunks.length - share.resumed };
}

/** Reports and records what earlier attempts have staged. */
function noteStaged({ plan, progress, context }: ActiveRun, { frozen, execution, scorer, share, open }: ScoreWork): void {
  const { console } = context;
  const others = countOtherScorers(frozen, scorer, share.staged);
  if (others > 0) {
    console.warn(
      `${counted(others, 'chunk was', 'chunks were')} scored by another scorer and will not be reused; this run uses ${showScorer(scorer)}`,
    );
  }
  const chunks = frozen.chunks.length;
  progress.details = { ...progress.details, chunks, chunks_resumed: share.resumed, ...(open > 0 && { execution }) };
  if (share.resumed > 0) {
    const [resumed, verb] = [grouped(share.resumed), share.resumed === 1 ? 'is' : 'are'];
    console.info(`${resumed} of ${counted(chunks, 'chunk')} ${verb} already staged`);
  }
  if (open > 0) noteDevices(plan.sizing, execution.provider, context);
}

async function scoreOpen(active: ActiveRun, work: ScoreWork): Promise<Scored> {
  const { plan, progress, context } = active;
  const { share, open, memoryPlan } = work;
  const earlier = progress.details.workers ?? NO_WORKER_TIME;
  const clock = new WorkerClock(Math.min(memoryPlan.workers, open));
  const done = new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT);
  let staged = share.resumedRows;
  const total = work.frozen.rows;
  // Capped, because a chunk that two processes score is counted twice.
  const rows = () => Math.min(total, staged + Number(Atomics.load(new BigInt64Array(done), 0)));
  plan.stages.count({ done: rows, total });
  const scored = { chunks: 0, rows: 0, providers: {} as Record<string, number>, time: NO_WORKER_TIME };
  const stage = async (file: ScoredFile, seconds: number): Promise<void> => {
    clock.scored(file, seconds);
    await clock.staging(() => plan.sink.stage(progress.runId, file));
    context.console.debug(`chunk ${file.chunk}: ${counted(file.rows, 'row')} on ${file.provider}`);
    if (file.halvedTo !== undefined) noteHalved(active, file.provider, file.halvedTo);
    share.markStaged(file.chunk);
    scored.chunks += 1;
    scored.rows += file.rows;
    scored.providers[file.provider] = (scored.providers[file.provider] ?? 0) + 1;
  };
  const found = (others: number): void => {
    staged += others;
  };
  const next = (signal: AbortSignal) => share.next(signal, found);
  try {
    await scoreChunks(open, next, stage, { ...poolOptions(active, work), done });
  } finally {
    scored.time = clock.time;
    // Recorded even after a failure, so that the next process can add its own time.
    progress.details = { ...progress.details, workers: addWorkerTime(earlier, scored.time) };
  }
  return scored;
}

function poolOptions({ plan, context }: ActiveRun, work: ScoreWork): Omit<PoolOptions, 'done'> {
  const { bundle, key, keep, classes, features, requireGpu, kinds, sink, sourceAccess, job } = plan;
  const { frozen, execution, scorer, folder, memoryPlan } = work;
  return {
    ...{ frozen, key, classes, features, scorer, folder, requireGpu },
    keep: keep.slice(0, keep.length - (classes?.columns.length ?? 0)),
    source: sourceAccess,
    model: { file: bundle.file, digest: bundle.digest },
    signature: bundle.signature,
    devices: execution.devices,
    workers: memoryPlan.workers,
    batchRows: memoryPlan.batchRows,
    memory: memoryPlan.database,
    smallHeap: kinds.source === 'duckdb',
    stagesText: sink.stagesText,
    hashValues: job.definition.sink.quarantine_values === 'hash',
    hashKey: context.environment.SCORE_BATCH_HASH_KEY || undefined,
    slice: plan.slice && { earlier: plan.slice.earlier },
    scoredAt: new Date(context.now).toISOString(),
    signal: context.signal,
  };
}

/** Chunks of this frozen table that another scorer has staged. */
function countOtherScorers({ id }: FrozenTable, scorer: Scorer, staged: readonly StagedAttempt[]): number {
  const own = scorerId(scorer);
  const others = staged.filter(({ attempt }) => isOfFrozen(attempt, id) && scorerOf(attempt) !== own);
  return new Set(others.map(({ chunk }) => chunk)).size;
}

import type { Context } from '../context.ts';
import type { FrozenTable } from '../domain/frozen-table.ts';
import { undone } from '../domain/reconciliation.ts';
import { memoryBudget, workerMemory } from '../memory.ts';
import type { Plan } from '../plan/plan.ts';
import { scoreChunks } from '../score/pool.ts';
import { batchRows, workerCount } from '../score/sizing.ts';
import type { Progress } from './progress.ts';

/** Scores and stages every chunk that is not staged whole yet. */
export async function scoreFrozen(plan: Plan, frozen: FrozenTable, progress: Progress, context: Context): Promise<void> {
  const { sink } = plan.sink;
  const { runId, clock } = progress;
  const { definition } = plan.job;
  const folder = await sink.workFolder(runId);
  const todo = undone(frozen.chunks, await sink.staged(runId));
  const resumed = frozen.chunks.length - todo.length;
  progress.details = { ...progress.details, chunks: frozen.chunks.length, chunks_resumed: resumed };
  if (resumed > 0) context.console.info(`${resumed} of ${frozen.chunks.length} chunks are staged already`);
  if (todo.length === 0) return;
  const workers = Math.min(workerCount(plan.workers, plan.provider), todo.length);
  const bar = context.console.progress('scoring chunks', todo.length);
  try {
    await scoreChunks(
      todo,
      async (scored) => {
        clock.add('read', scored.seconds.read / workers);
        clock.add('encode', scored.seconds.encode / workers);
        clock.add('score', scored.seconds.score / workers);
        clock.add('stage', scored.seconds.write / workers);
        await clock.time('stage', () => sink.stage(runId, scored));
        context.console.debug(`chunk ${scored.chunk}: ${scored.rows} rows on ${scored.provider}`);
        bar.advance();
      },
      {
        workers,
        signal: context.signal,
        modelFile: plan.bundle.file,
        signature: plan.bundle.signature,
        key: plan.key,
        keep: plan.keep,
        features: plan.features,
        providers: definition.score.providers,
        requireGpu: plan.requireGpu,
        batchRows: batchRows(definition.score.batch_rows),
        source: plan.sourceAccess,
        frozen,
        stagesText: sink.stagesText,
        hashValues: definition.sink.quarantine_values === 'hash',
        scoredAt: new Date(context.now).toISOString(),
        folder,
        memory: workerMemory(memoryBudget(context.environment)),
      },
    );
  } finally {
    bar.stop();
  }
}

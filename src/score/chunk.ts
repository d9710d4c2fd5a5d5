import type { ScoredFile } from '../domain/attempt.ts';
import { BATCH_ROWS, type ColumnBatch, type ReadKind } from '../domain/column-batch.ts';
import { createEncoder } from '../features/encoder.ts';
import { canFeed, type FedBatch } from '../warehouse/feeding.ts';
import { findDuplicates, readFeatures } from './chunk-table.ts';
import { createScoreClasses, emptyClassScores } from './class-scores.ts';
import { finishChunk } from './finish-chunk.ts';
import type { ChunkTask } from './messages.ts';
import { takeScores } from './outcome.ts';
import { scoreSliceChunk } from './slice-chunk.ts';
import { stopwatch } from './stopwatch.ts';
import { addDone, type ChunkWorkspace } from './workspace.ts';

/**
 * Scores one chunk of the frozen table and writes one Parquet file.
 *
 * @returns undefined if it was stopped, with nothing left behind
 * @throws RangeError if the number of rows differs from the frozen chunk's
 */
export async function scoreChunk(task: ChunkTask, workspace: ChunkWorkspace): Promise<ScoredFile | undefined> {
  if (workspace.setup.slice !== undefined) return await scoreSliceChunk(task, workspace, workspace.setup.slice);
  const { setup, session, database, stopped } = workspace;
  const clock = stopwatch();
  const begin = () => createEncoder(setup.signature, setup.features, Math.min(setup.batchRows, task.rows) + BATCH_ROWS);
  let encoder = begin();
  const classes = setup.classes && emptyClassScores(setup.classes, task.rows);
  const scoreClasses = setup.classes && createScoreClasses(setup.classes);
  const scores = classes?.scores ?? new Int32Array(task.rows);
  const rejected = new Int32Array(task.rows);
  let read = 0;
  let scored = 0;
  const scoreBatch = async (): Promise<void> => {
    const { signature } = setup;
    const inputs = encoder.tensors(read - scored);
    if (classes !== undefined) await scoreClasses?.(session, inputs, { into: classes, rejected, start: scored });
    else
      takeScores(
        await session.run(inputs, signature.output),
        signature,
        scores.subarray(scored, read),
        rejected.subarray(scored, read),
      );
    addDone(setup, read - scored);
    scored = read;
    clock.lap('score');
  };
  for await (const batch of chunkBatches(workspace, task.chunk, encoder.kinds)) {
    clock.lap('read');
    if (batch.begins && read > 0) {
      encoder = begin();
      rejected.fill(0);
      addDone(setup, -scored);
      read = 0;
      scored = 0;
    }
    if (read + batch.rows > task.rows) throw new RangeError(`chunk ${task.chunk} has more than its ${task.rows} rows`);
    const outcome = rejected.subarray(read, read + batch.rows);
    encoder.encode(batch, read - scored, outcome);
    batch.keep?.(positionsOf(outcome));
    read += batch.rows;
    clock.lap('encode');
    if (read - scored < setup.batchRows) continue;
    await scoreBatch();
    if (stopped()) return undefined;
  }
  clock.lap('read');
  if (read > scored) await scoreBatch();
  if (read !== task.rows) throw new RangeError(`chunk ${task.chunk} has ${read} rows and was frozen with ${task.rows}`);
  const duplicates = await findDuplicates(database, setup.key, setup.frozen.duplicates);
  clock.lap('read');
  if (stopped()) return undefined;
  const result = { rows: read, scores, rejected, classes };
  return await finishChunk(task, workspace, { result, duplicates, facts: { texts: encoder.texts() }, clock });
}

/** Yields the features of the chunk in batches. At the end, its other columns are in the relation `chunk`. */
async function* chunkBatches(
  { source, setup: { frozen, key, keep, features }, database }: ChunkWorkspace,
  chunk: number,
  kinds: readonly ReadKind[],
): AsyncGenerator<ColumnBatch & Partial<FedBatch>> {
  if (canFeed(source)) {
    return yield* source.feedChunk(frozen, chunk, database, { passed: [...key, ...keep], features, kinds });
  }
  await source.loadChunk(frozen, chunk, database);
  yield* readFeatures(database, features, kinds);
}

/** Positions of the rejected rows. */
function positionsOf(rejected: Int32Array): number[] {
  const positions: number[] = [];
  for (let row = 0; row < rejected.length; row += 1) if (rejected[row] !== 0) positions.push(row);
  return positions;
}

import type { ScoredFile } from '../domain/attempt.ts';
import { BATCH_ROWS } from '../domain/column-batch.ts';
import { createEncoder } from '../features/encoder.ts';
import { findDuplicates, readFeatures } from './chunk-table.ts';
import { findEarlier } from './earlier-scores.ts';
import { finishChunk } from './finish-chunk.ts';
import type { ChunkTask, SliceSetup } from './messages.ts';
import { createSkipKeys, emptySkipKeys } from './skip-keys.ts';
import { type Part, scorePart } from './slice-part.ts';
import { stopwatch } from './stopwatch.ts';
import { addDone, type ChunkWorkspace } from './workspace.ts';

/**
 * Scores one chunk of a slice like `scoreChunk`. Rows whose skip key equals the earlier one keep the earlier score, without
 * running the model. The chunk is always loaded before it is read, even if the source could feed it, because the earlier scores
 * of its keys must be known before the first batch.
 *
 * @returns undefined if it was stopped, with nothing left behind
 * @throws RangeError if the number of rows differs from the frozen chunk's
 */
export async function scoreSliceChunk(
  task: ChunkTask,
  workspace: ChunkWorkspace,
  slice: SliceSetup,
): Promise<ScoredFile | undefined> {
  const { setup, source, database, stopped } = workspace;
  const { key } = setup;
  const clock = stopwatch();
  await source.loadChunk(setup.frozen, task.chunk, database);
  const duplicates = await findDuplicates(database, key, setup.frozen.duplicates);
  const earlier = await findEarlier(database, { file: slice.earlier, key, rows: task.rows, duplicates });
  const capacity = Math.min(setup.batchRows, task.rows) + BATCH_ROWS;
  const encoder = createEncoder(setup.signature, setup.features, capacity);
  const compute = createSkipKeys(setup.signature, capacity);
  const whole: Part = {
    scores: new Int32Array(task.rows),
    rejected: new Int32Array(task.rows),
    skipKeys: emptySkipKeys(task.rows),
    earlier,
  };
  let read = 0;
  let scored = 0;
  let unchanged = 0;
  const scoreBatch = async (): Promise<void> => {
    const part = partOf(whole, scored, read);
    const inputs = encoder.tensors(read - scored);
    compute(inputs, part.rejected, part.skipKeys);
    clock.lap('encode');
    unchanged += await scorePart(workspace, inputs, part);
    addDone(setup, read - scored);
    scored = read;
    clock.lap('score');
  };
  for await (const batch of readFeatures(database, setup.features, encoder.kinds)) {
    clock.lap('read');
    if (read + batch.rows > task.rows) throw new RangeError(`chunk ${task.chunk} has more than its ${task.rows} rows`);
    encoder.encode(batch, read - scored, whole.rejected.subarray(read, read + batch.rows));
    read += batch.rows;
    clock.lap('encode');
    if (read - scored < setup.batchRows) continue;
    await scoreBatch();
    if (stopped()) return undefined;
  }
  clock.lap('read');
  if (read > scored) await scoreBatch();
  if (read !== task.rows) throw new RangeError(`chunk ${task.chunk} has ${read} rows and was frozen with ${task.rows}`);
  if (stopped()) return undefined;
  const { scores, rejected, skipKeys } = whole;
  const facts = { texts: encoder.texts(), unchanged };
  return await finishChunk(task, workspace, {
    result: { rows: read, scores, rejected, skipKeys },
    ...{ duplicates, facts, clock },
  });
}

/** Rows `start` to `end`, as views. */
function partOf({ scores, rejected, skipKeys, earlier }: Part, start: number, end: number): Part {
  const view = (values: Int32Array) => values.subarray(start, end);
  const viewKeys = ({ high, low }: Part['skipKeys']) => ({ high: view(high), low: view(low) });
  return {
    scores: view(scores),
    rejected: view(rejected),
    skipKeys: viewKeys(skipKeys),
    earlier: earlier && { skipKeys: viewKeys(earlier.skipKeys), scores: view(earlier.scores) },
  };
}

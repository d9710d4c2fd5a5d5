import path from 'node:path';
import type { ScoredFile } from '../domain/attempt.ts';
import { newAttemptId } from '../domain/attempt-id.ts';
import { BATCH_ROWS, type ColumnBatch, type ReadKind } from '../domain/column-batch.ts';
import { scorerId } from '../domain/scorer.ts';
import { featuresOf } from '../domain/signature.ts';
import type { Database } from '../duckdb/database.ts';
import { createEncoder } from '../features/encoder.ts';
import type { Session } from '../runtime/session.ts';
import { canFeed, type FedBatch } from '../warehouse/feeding.ts';
import type { Source } from '../warehouse/warehouse.ts';
import { findDuplicates, readFeatures } from './chunk-table.ts';
import type { ChunkTask, WorkerSetup } from './messages.ts';
import { takeScores } from './outcome.ts';
import { writeScoredFile } from './scored-file.ts';

/** What a worker has open. */
export interface ChunkWorkspace {
  readonly setup: WorkerSetup;
  readonly source: Source;
  readonly session: Session;
  /** In-memory. */
  readonly database: Database;
  /** Whether to stop; checked between batches. */
  readonly stopped: () => boolean;
}

/**
 * Scores one chunk of the frozen table and writes one Parquet file.
 *
 * @returns undefined if it was stopped, with nothing left behind
 * @throws RangeError if the number of rows differs from the frozen chunk's
 */
export async function scoreChunk(task: ChunkTask, workspace: ChunkWorkspace): Promise<ScoredFile | undefined> {
  const { setup, source, session, database, stopped } = workspace;
  const clock = stopwatch();
  const begin = () => createEncoder(setup.signature, setup.features, Math.min(setup.batchRows, task.rows) + BATCH_ROWS);
  let encoder = begin();
  const scores = new Int32Array(task.rows);
  const rejected = new Int32Array(task.rows);
  let read = 0;
  let scored = 0;
  const scoreBatch = async (): Promise<void> => {
    const { output } = setup.signature;
    const result = await session.run(encoder.tensors(read - scored), output);
    takeScores(result, output.index, scores.subarray(scored, read), rejected.subarray(scored, read));
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
  await database.release();
  const attempt = newAttemptId(setup.frozen.id, scorerId(setup.scorer));
  const file = path.join(setup.folder, `chunk-${task.chunk}-${attempt}.parquet`);
  await writeScoredFile(
    database,
    { rows: read, scores, rejected },
    {
      file,
      memory: setup.memory,
      key: setup.key,
      keep: setup.keep,
      features: setup.features,
      featureNames: featuresOf(setup.signature).map(({ feature }) => feature.name),
      rejectedApart: canFeed(source),
      hashValues: setup.hashValues,
      hashKey: setup.hashKey,
      stagesText: setup.stagesText,
      duplicates,
      chunk: task.chunk,
      attempt,
      provider: session.provider,
      facts: { scorer: setup.scorer, texts: encoder.texts() },
      scoredAt: setup.scoredAt,
    },
  );
  await database.release();
  clock.lap('write');
  return { chunk: task.chunk, attempt, file, rows: read, provider: session.provider, seconds: clock.seconds };
}

/** Counts scored rows for the main thread, which shows them; a negative number takes back rows that are read again. */
function addDone({ done }: WorkerSetup, rows: number): void {
  Atomics.add(new BigInt64Array(done), 0, BigInt(rows));
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

interface Stopwatch {
  readonly seconds: { read: number; encode: number; score: number; write: number };
  /** Adds the time since the last lap to one part of the work. */
  lap(part: keyof Stopwatch['seconds']): void;
}

function stopwatch(): Stopwatch {
  const seconds = { read: 0, encode: 0, score: 0, write: 0 };
  let last = performance.now();
  return {
    seconds,
    lap(part) {
      const now = performance.now();
      seconds[part] += (now - last) / 1000;
      last = now;
    },
  };
}

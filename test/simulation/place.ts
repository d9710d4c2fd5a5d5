import { AsyncLocalStorage } from 'node:async_hooks';
import { ScoreBatchError } from '../../src/errors.ts';
import type { PendingFile } from '../../src/report/file.ts';
import type { PoolOptions, scoreChunks } from '../../src/score/pool.ts';
import type { MemoryProcess } from './memory-process.ts';
import { writeScoredRows } from './memory-sink.ts';
import { rowsOfChunk } from './memory-source.ts';
import { rename, type World } from './world.ts';

/** Where code is at work. */
interface Place {
  readonly world: World;
  readonly process: MemoryProcess;
  /** Whether it was started with `--fresh`. */
  readonly fresh: boolean;
}

const here = new AsyncLocalStorage<Place>();

export function at<T>(place: Place, work: () => Promise<T>): Promise<T> {
  return here.run(place, work);
}

export function place(): Place {
  const found = here.getStore();
  if (found === undefined) throw new Error('nobody is at work');
  return found;
}

/** In place of chunk workers: threads keep no order that could be played again from a seed. */
export const scoreInMemory: typeof scoreChunks = async (tasks, stage, { frozen, modelFile, workers }: PoolOptions) => {
  const { world, process } = place();
  const left = [...tasks];
  const lane = async (): Promise<void> => {
    for (let task = left.shift(); task !== undefined; task = left.shift()) {
      const { chunk } = task;
      const rows = await process.ask('read a chunk', () => rowsOfChunk(world, frozen, chunk));
      if (rows?.length !== task.rows) {
        throw new ScoreBatchError('conflict', `chunk ${chunk} has ${rows?.length} rows and was frozen with ${task.rows}`);
      }
      const attempt = `${process.name} at ${process.count}`;
      const file = writeScoredRows(
        attempt,
        rows.map((row) => ({ ...row, chunk, attempt, model: modelFile })),
      );
      const seconds = { read: 0, encode: 0, score: 0, write: 0 };
      await stage({ chunk, attempt, file, rows: rows.length, provider: 'cpu', seconds });
    }
  };
  await Promise.all(Array.from({ length: workers }, lane));
};

/** In place of a file on disk, for the same reason. */
export async function pendingInMemory(file: string): Promise<PendingFile> {
  const { world, process } = place();
  let text = '';
  return {
    write: async (data) => {
      text += typeof data === 'string' ? data : Buffer.from(data).toString();
    },
    finish: async () => undefined,
    rename: () => process.ask('rename the report', () => rename(world, file, text)),
    discard: async () => undefined,
  };
}

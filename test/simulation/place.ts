import { AsyncLocalStorage } from 'node:async_hooks';
import type { Publication } from '../../src/domain/ledger.ts';
import { scorerId } from '../../src/domain/scorer.ts';
import { ScoreBatchError } from '../../src/errors.ts';
import type { PendingFile } from '../../src/report/file.ts';
import type { Clock, shareChunks } from '../../src/run/share.ts';
import type { scoreChunks } from '../../src/score/pool.ts';
import type { MemoryProcess } from './memory-process.ts';
import { writeScoredRows } from './memory-sink.ts';
import { rowsOfChunk } from './memory-source.ts';
import { rename, type World } from './world.ts';

/** The world and process that code runs in. */
interface Place {
  readonly world: World;
  readonly process: MemoryProcess;
  /** Whether the process was started with `--fresh`. */
  readonly fresh: boolean;
}

const here = new AsyncLocalStorage<Place>();

export function at<T>(place: Place, work: () => Promise<T>): Promise<T> {
  return here.run(place, work);
}

export function place(): Place {
  const found = here.getStore();
  if (found === undefined) throw new Error('not inside at()');
  return found;
}

/** Replaces chunk workers: the order of threads cannot be reproduced from a seed. */
export async function scoreInMemory(...[turns, next, stage, options]: Parameters<typeof scoreChunks>): Promise<void> {
  const { world, process } = place();
  const { frozen, scorer, model, workers, signal } = options;
  const lane = async (): Promise<void> => {
    for (let task = await next(signal); task !== undefined; task = await next(signal)) {
      const { chunk } = task;
      const rows = await process.ask('read a chunk', () => rowsOfChunk(world, frozen, chunk));
      if (rows?.length !== task.rows) {
        throw new ScoreBatchError('conflict', `chunk ${chunk} has ${rows?.length} rows and was frozen with ${task.rows}`);
      }
      const attempt = `${frozen.id}${scorerId(scorer)}${process.name} at ${process.count}`;
      const file = writeScoredRows(
        attempt,
        rows.map((row) => ({ ...row, chunk, attempt, model: model.file })),
      );
      const seconds = { read: 0, encode: 0, score: 0, write: 0 };
      await stage({ chunk, attempt, file, rows: rows.length, provider: 'cpu', seconds }, 0);
    }
  };
  await Promise.all(Array.from({ length: Math.min(workers, turns) }, lane));
}

/** The real sharing of chunks, with the world's clock. */
export function shareInMemory(share: typeof shareChunks): typeof shareChunks {
  return (options) => {
    const { world, process } = place();
    const clock: Clock = { now: () => world.clock.now, sleep: process.sleep, random: process.random };
    return share({ ...options, clock });
  };
}

/** Replaces a file on disk, for the same reason. Removes pending files in the order of `createPending`. */
export async function pendingInMemory(file: string, { number }: Pick<Publication, 'number'>): Promise<PendingFile> {
  const { world, process } = place();
  const pending = `${file} of ${process.name} at ${process.count}`;
  let text = '';
  let replaced = false;
  let others: readonly string[] = [];
  await process.ask('make the report', () => world.pending.set(pending, number));
  return {
    path: pending,
    write: async (data) => {
      text += typeof data === 'string' ? data : Buffer.from(data).toString();
    },
    finish: async () => undefined,
    async replace() {
      // The ledger calls this again if its decision lost a race.
      if (replaced) return true;
      await process.ask('remove older reports', () => {
        const found = [...world.pending].filter(([other]) => other !== pending);
        for (const [other, older] of found) if (older < number) world.pending.delete(other);
        others = found.filter(([, equal]) => equal === number).map(([other]) => other);
      });
      replaced = await process.ask('rename the report', () => rename(world, pending, file, text));
      return replaced;
    },
    async removeOthers() {
      // One at a time: other processes may run in between.
      for (const other of others) await process.ask('remove a report of the same run', () => world.pending.delete(other));
    },
    discard: async () => {
      world.pending.delete(pending);
    },
  };
}

import { setTimeout as sleep } from 'node:timers/promises';
import { ScoreBatchError } from '../../errors.ts';
import type { Console } from '../../terminal/console.ts';
import type { ServeSettings } from '../settings.ts';
import type { Answering } from './answering.ts';
import type { Addresses, Leaving, LoadedModel } from './messages.ts';

/** Processes that serve the same bundles with the same settings. */
export interface Generation {
  readonly settings: ServeSettings;
  readonly models: readonly LoadedModel[];
  /** Lets all listen, and from then on replaces those that end. */
  listen(): Promise<Addresses>;
  /** Resolves once all have ended. */
  leave(why: Leaving): Promise<void>;
  kill(): void;
}

export interface Upkeep {
  readonly console: Pick<Console, 'warn'>;
  readonly start: (settings: ServeSettings) => Answering;
  /** A process ended unexpectedly. */
  readonly lost: () => void;
  /** A new process found other bundles on disk than the running ones have. Resolves once these are loaded, or refused. */
  readonly changed: () => Promise<void>;
  /** No process answers, and none can be started. */
  readonly gone: (error: Error) => void;
}

/** A process that lived longer than this did not fail to start. */
const SETTLED_MS = 60_000;
const MOST_FAILURES = 5;
const LONGEST_WAIT_MS = 30_000;

/**
 * Starts all processes, and waits until each has loaded and proved every model.
 *
 * @throws the first failure, after ending all of them
 */
export async function startGeneration(settings: ServeSettings, upkeep: Upkeep, signal: AbortSignal): Promise<Generation> {
  const processes = new Set<Answering>();
  const begin = (): Answering => {
    const process = upkeep.start(settings);
    processes.add(process);
    void process.ended.then(() => processes.delete(process));
    return process;
  };
  const kill = (): void => {
    for (const process of processes) process.kill();
  };
  let leaving = false;
  let failures = 0;
  const first = Array.from({ length: settings.processes }, begin);
  signal.addEventListener('abort', kill, { once: true });
  let models: readonly LoadedModel[];
  let maxRows: readonly number[];
  try {
    const loaded = await Promise.all(first.map((process) => process.loaded));
    models = loaded[0] ?? [];
    maxRows = models.map((_, at) => Math.min(...loaded.map((one) => one[at]?.maxRows ?? Number.POSITIVE_INFINITY)));
    if (loaded.some((one) => !areSame(one, models))) {
      throw new ScoreBatchError('unavailable', 'a bundle changed while it was being loaded', {
        hint: 'write each bundle to a new folder, and reload once it is complete',
      });
    }
  } catch (error) {
    kill();
    throw error;
  } finally {
    signal.removeEventListener('abort', kill);
  }

  /** Waits for a process to end, and starts a replacement. */
  async function keep(process: Answering, since = performance.now()): Promise<void> {
    const how = await process.ended;
    if (leaving) return;
    upkeep.lost();
    if (performance.now() - since > SETTLED_MS) failures = 0;
    upkeep.console.warn(`process ${process.pid} ended (${how}); starting a replacement`, { pid: process.pid });
    await replace();
  }

  async function replace(): Promise<void> {
    for (;;) {
      failures += 1;
      if (failures >= MOST_FAILURES && processes.size === 0) {
        upkeep.gone(
          new ScoreBatchError('unavailable', `the processes that answer ended ${failures} times in a row`, {
            hint: 'see above how each ended; a process that exceeds its memory limit ends with SIGKILL',
          }),
        );
        return;
      }
      await sleep(failures === 1 ? 0 : Math.min(LONGEST_WAIT_MS, 500 * 2 ** (failures - 2)));
      if (leaving) return;
      const process = begin();
      try {
        const found = await process.loaded;
        if (!areSame(found, models)) {
          process.kill();
          await process.ended;
          upkeep.console.warn('the bundles on disk have changed: replacing all processes');
          await upkeep.changed();
          if (leaving) return;
          // The reload was refused. Try again: the bundles may change back, or become loadable.
          continue;
        }
        if (leaving) return;
        await process.listen(maxRows);
        void keep(process);
        return;
      } catch (error) {
        process.kill();
        await process.ended;
        if (leaving) return;
        upkeep.console.warn(`a process could not be started: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }

  return {
    settings,
    models,
    async listen() {
      const addresses = await Promise.all(first.map((process) => process.listen(maxRows)));
      for (const process of first) void keep(process);
      return addresses[0] ?? { http: '', grpc: undefined };
    },
    async leave(why) {
      leaving = true;
      await Promise.all([...processes].map((process) => process.leave(why)));
    },
    kill() {
      leaving = true;
      kill();
    },
  };
}

function areSame(some: readonly LoadedModel[], others: readonly LoadedModel[]): boolean {
  const text = (models: readonly LoadedModel[]) =>
    JSON.stringify(models.map(({ name, version, digest, definitionDigest }) => [name, version, digest, definitionDigest]));
  return text(some) === text(others);
}

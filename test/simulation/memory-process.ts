import { ScoreBatchError } from '../../src/errors.ts';
import type { World } from './world.ts';

/** A fault of a process at one of its statements, counted from 0. */
export interface Fault {
  readonly statement: number;
  readonly kind: (typeof FAULTS)[number];
}

export const FAULTS = ['killed before', 'killed after', 'request lost', 'answer lost', 'paused'] as const;

export interface ProcessOptions {
  readonly name: string;
  readonly faults: readonly Fault[];
  /** In [0, 1). */
  readonly random: () => number;
  /** Virtual milliseconds from a request to its answer; 2 to 20 by default. */
  readonly latency?: (what: string) => number;
}

/** A process that works on the world. Its requests take time, and it can be killed or paused at any of them. */
export interface MemoryProcess {
  readonly name: string;
  readonly faults: readonly Fault[];
  /** Resolves only if the process is killed. */
  readonly killed: Promise<'killed'>;
  /** Ends it at once, like SIGKILL. */
  kill(): void;
  readonly isDead: boolean;
  /** Number of statements so far. */
  readonly count: number;
  /**
   * Asks the world to do something.
   *
   * The world executes a sent request even if the process has died meanwhile. A dead process never continues, not even
   * with its `finally` blocks, as after SIGKILL.
   *
   * @throws ScoreBatchError `unavailable` if the request or its answer was lost
   */
  ask<T>(what: string, effect: () => T): Promise<T>;
  sleep(duration: number): Promise<void>;
  readonly random: () => number;
  /** Waits for the publish lock and holds it during `work`. */
  withLock<T>(work: () => Promise<T>): Promise<T>;
}

/** Milliseconds. Longer than everything else together, so much has changed when the process wakes up. */
const PAUSE = 3_600_000;
/** Milliseconds after which a warehouse rolls back the transaction of a lost client. */
const LINGER = 60_000;

const NEVER = new Promise<never>(() => undefined);

export function startProcess(
  world: World,
  { name, faults, random, latency = () => 2 + random() * 18 }: ProcessOptions,
): MemoryProcess {
  const { clock, publishLock } = world;
  let count = 0;
  let dead = false;
  let wakes = 0;
  let die: (how: 'killed') => void;
  const killed = new Promise<'killed'>((resolve) => {
    die = resolve;
  });
  /** Waits while the process is paused; never resolves once it is dead. */
  const going = async (): Promise<void> => {
    if (dead) await NEVER;
    while (wakes > clock.now) await clock.sleep(wakes - clock.now);
  };
  const kill = (): Promise<never> => {
    dead = true;
    void clock.sleep(LINGER).then(() => release(self));
    die('killed');
    return NEVER;
  };
  const lost = (what: string) => new ScoreBatchError('unavailable', `${what}: the connection was lost`);
  const release = (holder: MemoryProcess): void => {
    if (publishLock.holder !== holder) return;
    publishLock.holder = undefined;
    publishLock.waiting.shift()?.();
  };
  const self: MemoryProcess = {
    name,
    faults,
    killed,
    kill() {
      void kill();
    },
    get isDead() {
      return dead;
    },
    get count() {
      return count;
    },
    async ask(what, effect) {
      await going();
      const fault = faults.find(({ statement }) => statement === count)?.kind;
      count += 1;
      if (fault === 'killed before') return await kill();
      if (fault === 'paused') wakes = clock.now + PAUSE;
      await going();
      const oneWay = latency(what) / 2;
      await clock.sleep(oneWay);
      if (fault === 'request lost') {
        await going();
        throw lost(what);
      }
      world.statements.set(what, (world.statements.get(what) ?? 0) + 1);
      const answer = settle(effect);
      if (fault === 'killed after') return await kill();
      await clock.sleep(oneWay);
      await going();
      if (fault === 'answer lost') throw lost(what);
      if ('error' in answer) throw answer.error;
      return answer.value;
    },
    random,
    async sleep(duration) {
      await clock.sleep(duration);
      await going();
    },
    async withLock(work) {
      await self.ask('take the publish lock', () => undefined);
      while (publishLock.holder !== undefined) await new Promise<void>((resolve) => publishLock.waiting.push(resolve));
      publishLock.holder = self;
      // It was killed while it waited, and the warehouse notices.
      if (dead) release(self);
      await going();
      try {
        return await work();
      } finally {
        release(self);
      }
    },
  };
  return self;
}

function settle<T>(effect: () => T): { value: T } | { error: unknown } {
  try {
    return { value: effect() };
  } catch (error) {
    return { error };
  }
}

import { ScoreBatchError } from '../../src/errors.ts';
import type { World } from './world.ts';

/** What befalls a process at one of its statements, counted from 0. */
export interface Fault {
  readonly statement: number;
  readonly kind: (typeof FAULTS)[number];
}

export const FAULTS = ['killed before', 'killed after', 'request lost', 'answer lost', 'paused'] as const;

export interface ProcessOptions {
  readonly name: string;
  readonly faults: readonly Fault[];
  /** From 0 to 1; what is left to chance. */
  readonly random: () => number;
  /** Virtual milliseconds from a request to its answer; 2 to 20 by default. */
  readonly latency?: (what: string) => number;
}

/** A process that works on the world: what it asks for takes time, and it may be killed or paused at any point of it. */
export interface MemoryProcess {
  readonly name: string;
  readonly faults: readonly Fault[];
  /** Settles only when the process is killed. */
  readonly killed: Promise<'killed'>;
  /** Ends it at once, as SIGKILL does. */
  kill(): void;
  readonly isDead: boolean;
  /** Statements so far. */
  readonly count: number;
  /**
   * Asks the world to do something.
   *
   * A request that was sent is done even if the process that sent it is dead by then; a dead process never goes on, not even
   * to its `finally` blocks, as after SIGKILL.
   *
   * @throws ScoreBatchError `unavailable` where the request or its answer was lost
   */
  ask<T>(what: string, effect: () => T): Promise<T>;
  sleep(duration: number): Promise<void>;
  readonly random: () => number;
  /** Holds the gate while `work` is done, and waits for it before. */
  holding<T>(work: () => Promise<T>): Promise<T>;
}

/** Longer than everything else together: the process wakes up in another time. */
const PAUSE = 3_600_000;
/** After this, a warehouse rolls back the transaction of a client that is gone. */
const LINGER = 60_000;

const NEVER = new Promise<never>(() => undefined);

export function startProcess(
  world: World,
  { name, faults, random, latency = () => 2 + random() * 18 }: ProcessOptions,
): MemoryProcess {
  const { clock, gate } = world;
  let count = 0;
  let dead = false;
  let wakes = 0;
  let die: (how: 'killed') => void;
  const killed = new Promise<'killed'>((resolve) => {
    die = resolve;
  });
  /** Goes on only while the process does. */
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
    if (gate.holder !== holder) return;
    gate.holder = undefined;
    gate.waiting.shift()?.();
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
    async holding(work) {
      await self.ask('take the gate', () => undefined);
      while (gate.holder !== undefined) await new Promise<void>((resolve) => gate.waiting.push(resolve));
      gate.holder = self;
      // Killed while it waited: the warehouse notices.
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

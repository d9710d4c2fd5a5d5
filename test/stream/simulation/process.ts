import type { FlowClock } from '../../../src/stream/partition/ports.ts';
import type { VirtualClock } from '../../simulation/virtual-clock.ts';

/** Chances per request, in [0, 1]. */
export interface FaultRates {
  readonly killed: number;
  readonly paused: number;
  readonly requestLost: number;
  readonly answerLost: number;
}

export const NO_FAULTS: FaultRates = { killed: 0, paused: 0, requestLost: 0, answerLost: 0 };

/** A request or its answer was lost. */
export class Lost extends Error {}

/** A process of the simulation: its requests take time, and it can be killed or paused at any of them. */
export interface SimulatedProcess {
  readonly name: string;
  readonly dead: boolean;
  kill(): void;
  /** Freezes it, timers included, as a stopped process or a long collection of garbage does. */
  pauseFor(ms: number): void;
  /**
   * Asks a broker. The effect of a request that was sent happens even if the process dies meanwhile; a dead process never
   * continues.
   *
   * @throws Lost, and what the effect throws
   */
  ask<T>(effect: () => T): Promise<T>;
  /** Time that passes in the process. */
  work(ms: number): Promise<void>;
  readonly clock: FlowClock;
  readonly random: () => number;
}

export interface ProcessOptions {
  readonly name: string;
  readonly clock: VirtualClock;
  readonly random: () => number;
  readonly rates: () => FaultRates;
  /** Called when it is killed. */
  onDeath(): void;
  readonly epoch: number;
}

const NEVER = new Promise<never>(() => undefined);

export function startProcess({ name, clock, random, rates, onDeath, epoch }: ProcessOptions): SimulatedProcess {
  let dead = false;
  let wakes = 0;
  const running = async (): Promise<void> => {
    while (!dead && wakes > clock.now) await clock.sleep(wakes - clock.now);
    if (dead) await NEVER;
  };
  const kill = () => {
    if (dead) return;
    dead = true;
    onDeath();
  };
  const self: SimulatedProcess = {
    name,
    get dead() {
      return dead;
    },
    kill,
    pauseFor(ms) {
      wakes = Math.max(wakes, clock.now + ms);
    },
    async ask(effect) {
      await running();
      const fault = faultOf(rates(), random);
      const after = random() < 0.5;
      if (fault === 'killed' && !after) kill();
      if (fault === 'paused' && !after) self.pauseFor(pauseMs(random));
      await running();
      await clock.sleep(1 + random() * 4);
      if (fault === 'requestLost') {
        await clock.sleep(50);
        await running();
        throw new Lost('the request was lost');
      }
      const answer = settle(effect);
      if (fault === 'killed' && after) kill();
      if (fault === 'paused' && after) self.pauseFor(pauseMs(random));
      await clock.sleep(1 + random() * 4);
      await running();
      if (fault === 'answerLost') throw new Lost('the answer was lost');
      if ('error' in answer) throw answer.error;
      return answer.value;
    },
    async work(ms) {
      await running();
      await clock.sleep(ms);
      await running();
    },
    clock: {
      now: () => epoch + Math.floor(clock.now),
      elapsed: () => clock.now,
      after(ms, then) {
        let cancelled = false;
        void self.work(ms).then(() => {
          if (!cancelled) then();
        });
        return () => {
          cancelled = true;
        };
      },
    },
    random,
  };
  return self;
}

/** Some shorter, some longer than a session. */
function pauseMs(random: () => number): number {
  return random() < 0.5 ? 200 + random() * 5000 : 10_000 + random() * 60_000;
}

function faultOf(rates: FaultRates, random: () => number): keyof FaultRates | undefined {
  let draw = random();
  for (const [kind, rate] of Object.entries(rates) as [keyof FaultRates, number][]) {
    if (draw < rate) return kind;
    draw -= rate;
  }
  return undefined;
}

function settle<T>(effect: () => T): { value: T } | { error: unknown } {
  try {
    return { value: effect() };
  } catch (error) {
    return { error };
  }
}

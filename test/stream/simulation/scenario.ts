import type { AsOf } from '../../../src/event-features/definition.ts';
import { seededRandom } from '../../../src/random.ts';
import type { FaultRates } from './process.ts';

/** What happens in a run, all of it from one seed. */
export interface Scenario {
  readonly asOf: AsOf;
  readonly partitions: number;
  readonly processes: number;
  /** Per partition. */
  readonly records: number;
  readonly gapMs: number;
  readonly quietMs: number;
  readonly idleMs: number | undefined;
  readonly batchEvents: number;
  readonly fetchRecords: number;
  readonly rates: FaultRates;
  /** Virtual milliseconds between two of them, on average; infinite for none. */
  readonly between: Readonly<Record<Disturbance, number>>;
}

/** What an operator or the brokers do. */
export const DISTURBANCES = ['rebalance', 'switch model', 'drain', 'pause and resume', 'kill', 'stop the process'] as const;
export type Disturbance = (typeof DISTURBANCES)[number];

export function scenarioOf(seed: number, asOf: AsOf = seed % 2 === 0 ? 'event' : 'arrival'): Scenario {
  const random = seededRandom(seed);
  // The first numbers of neighbouring seeds are alike.
  for (let i = 0; i < 8; i += 1) random();
  const pick = <T>(...from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const rate = () => pick(0, 0, 0.002, 0.01, 0.03);
  const often = (...from: readonly number[]) => pick(Number.POSITIVE_INFINITY, ...from);
  return {
    asOf,
    partitions: pick(1, 2, 3),
    processes: pick(1, 2, 2, 3),
    records: pick(20, 50, 90),
    gapMs: pick(50, 200, 500),
    quietMs: pick(1000, 8000, 20_000),
    idleMs: asOf === 'arrival' ? undefined : pick(undefined, 3000, 6000),
    batchEvents: pick(1, 3, 10, 100),
    fetchRecords: pick(1, 5, 40),
    rates: { killed: rate(), paused: rate(), requestLost: rate(), answerLost: rate() },
    between: {
      rebalance: often(5000, 20_000),
      'switch model': often(8000),
      drain: often(15_000),
      'pause and resume': often(15_000),
      kill: often(15_000),
      'stop the process': often(15_000),
    },
  };
}

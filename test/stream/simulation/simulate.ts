import { ScoreBatchError } from '../../../src/errors.ts';
import type { AsOf, EventFeatures } from '../../../src/event-features/definition.ts';
import { rejection } from '../../../src/features/rejection.ts';
import { seededRandom } from '../../../src/random.ts';
import { createFlow } from '../../../src/stream/partition/flow.ts';
import type { Flow, FlowObserver, FlowOptions, Outputs } from '../../../src/stream/partition/ports.ts';
import type { WindowCheckpoint } from '../../../src/stream/partition-window.ts';
import type { Scorer } from '../../../src/stream/scorer.ts';
import { createPartitionWindow } from '../../../src/stream/window/window.ts';
import { type VirtualClock, virtualClock } from '../../simulation/virtual-clock.ts';
import { type Broker, type BrokerOptions, readCommitted, startBroker } from './broker.ts';
import { coordinate, type Group } from './group.ts';
import { arrivalsOf, EPOCH } from './input.ts';
import { type Faulty, simulatedLog } from './log.ts';
import { decode, FEATURES, REFUSED_AMOUNT } from './oracle.ts';
import { NO_FAULTS, type SimulatedProcess, startProcess } from './process.ts';
import { problemsOf } from './rules.ts';
import { DISTURBANCES, type Disturbance, type Scenario, scenarioOf } from './scenario.ts';

const OUTPUT = { scores: 'scores', deadLetter: 'dead letters' };

/** Defects that are put in on purpose, to see that the rules notice them. */
export interface Defects {
  readonly client?: Faulty;
  readonly broker?: Pick<BrokerOptions, 'fences'>;
  /** Changes what a window is made from. */
  readonly checkpoint?: (checkpoint: WindowCheckpoint) => WindowCheckpoint;
}

export interface SimulationResult {
  /** Empty if every rule holds. */
  readonly problems: readonly string[];
  readonly transactions: number;
  readonly restarts: number;
  readonly started: number;
  readonly idleScores: number;
  readonly virtualMs: number;
}

/** Disturbances end then, so that the rest can be finished. */
const CALM_MS = 60_000;
const LONGEST_MS = 900_000;
/**
 * Longer than it takes a stopped process to continue (40 s), another to start (20 s) and to expel it (10 s), its transaction to end
 * (20 s), and a partition to be seen as idle (6 s).
 */
const SETTLED_MS = 120_000;

/** Runs processes over a log in memory until everything is read, and compares what they wrote with the rules. */
export async function simulate(
  seed: number,
  { defects = {}, asOf }: { defects?: Defects; asOf?: AsOf } = {},
): Promise<SimulationResult> {
  const scenario = scenarioOf(seed, asOf);
  const random = seededRandom(seed * 2 + 1);
  const clock = virtualClock();
  const { partitions } = scenario;
  const broker = startBroker({
    clock,
    partitions,
    transactionTimeoutMs: 20_000,
    commitMs: () => 1 + (random() < 0.1 ? random() * 1500 : random() * 5),
    ...defects.broker,
  });
  const group = coordinate({ clock, partitions, sessionMs: 10_000, random });
  const world: World = {
    scenario,
    clock,
    broker,
    group,
    random,
    defects,
    problems: [],
    counts: { transactions: 0, restarts: 0, started: 0 },
  };
  const full = fill(world);
  let finished = false;
  const slots = Array.from({ length: scenario.processes }, (_, slot) => startSlot(world, slot, () => finished));
  void disturb(world, slots);
  void (async () => {
    while (clock.now < CALM_MS || (clock.now < LONGEST_MS && !(full() && isRead(world)))) await clock.sleep(1000);
    if (clock.now >= LONGEST_MS) world.problems.push('the input was not read in a quarter of an hour');
    await clock.sleep(SETTLED_MS);
    finished = true;
    const drained = Promise.all(slots.map((slot) => slot.flow?.finish()));
    const late = clock.sleep(SETTLED_MS).then(() => 'late' as const);
    if ((await Promise.race([drained, late])) === 'late') world.problems.push('a process did not end');
    for (const { process } of slots) process?.kill();
  })();
  await clock.run();
  const output = readCommitted(broker);
  const rules = problemsOf(broker, { ...FEATURES, asOf: scenario.asOf }, scenario.idleMs !== undefined);
  const idleScores = output.filter(({ value }) => String(value).includes('"idle":true')).length;
  return { problems: [...world.problems, ...rules], ...world.counts, idleScores, virtualMs: clock.now };
}

interface World {
  readonly scenario: Scenario;
  readonly clock: VirtualClock;
  readonly broker: Broker;
  readonly group: Group;
  readonly random: () => number;
  readonly defects: Defects;
  readonly problems: string[];
  readonly counts: { transactions: number; restarts: number; started: number };
}

/** A place for a process: another one is started there when it ends. */
interface Slot {
  process: SimulatedProcess | undefined;
  flow: Flow | undefined;
}

/** @returns whether all of the input has arrived */
function fill({ scenario, clock, broker, random }: World): () => boolean {
  let left = scenario.partitions;
  for (const [partition, input] of broker.input.entries()) {
    const arrivals = arrivalsOf({ random, partition, ...scenario });
    void (async () => {
      for (const { at, stableAt, entry } of arrivals) {
        if (at > clock.now) await clock.sleep(at - clock.now);
        input.entries.push(entry);
        const end = input.entries.length;
        const settle = () => {
          input.stable = Math.max(input.stable, end);
        };
        if (stableAt <= clock.now && input.stable === end - 1) settle();
        else void clock.sleep(Math.max(0, stableAt - clock.now)).then(settle);
      }
      await clock.sleep(3000);
      input.stable = input.entries.length;
      left -= 1;
    })();
  }
  return () => left === 0;
}

/** Whether every record has been read, and the offsets of the last ones are committed. */
function isRead({ broker }: World): boolean {
  return broker.input.every(({ entries }, partition) => {
    const last = entries.findLastIndex((entry) => entry !== 'passed over');
    return (broker.committed.get(partition)?.offset ?? 0) > last;
  });
}

function startSlot(world: World, index: number, isFinished: () => boolean): Slot {
  const { clock, random, counts, scenario } = world;
  const slot: Slot = { process: undefined, flow: undefined };
  const begin = async (after: number): Promise<void> => {
    await clock.sleep(after);
    if (isFinished()) return;
    counts.started += 1;
    const process = startProcess({
      name: `${index}.${counts.started}`,
      clock,
      random,
      rates: () => (clock.now < CALM_MS ? scenario.rates : NO_FAULTS),
      onDeath: () => {
        slot.flow = undefined;
        void begin(random() * 20_000);
      },
      epoch: EPOCH,
    });
    const flow = flowOf(world, process);
    slot.process = process;
    slot.flow = flow;
    await flow.start().catch((error: unknown) => {
      if (error instanceof ScoreBatchError && error.kind === 'configuration') world.problems.push(`refused: ${error.message}`);
      process.kill();
    });
  };
  void begin(random() * 3000);
  return slot;
}

function flowOf(world: World, process: SimulatedProcess): Flow {
  const { scenario, broker, group, defects, problems, random } = world;
  const features: EventFeatures = { ...FEATURES, asOf: scenario.asOf };
  const observer: FlowObserver = {
    ...SILENT,
    committed: () => {
      world.counts.transactions += 1;
    },
    restarting: () => {
      world.counts.restarts += 1;
    },
  };
  const options: FlowOptions = {
    log: simulatedLog({ broker, group, process, fetchRecords: scenario.fetchRecords, faulty: defects.client }),
    settings: {
      name: 'fraud',
      group: 'g',
      input: 'events',
      output: { scores: OUTPUT.scores },
      features,
      idleMs: scenario.idleMs,
      limits: { eventsPerKey: 10_000, stateBytes: 1e9, batchEvents: scenario.batchEvents, messageBytes: 1e6 },
    },
    start: 'earliest',
    acceptNewGroup: false,
    acceptFeatures: false,
    windowOf: (of, limits, checkpoint) => createPartitionWindow(of, limits, defects.checkpoint?.(checkpoint) ?? checkpoint),
    decode,
    attributes: undefined,
    scorer: simulatedScorer(process, '0'),
    outputs: OUTPUTS,
    mostBytes: () => undefined,
    clock: process.clock,
    observer,
    random,
    onFatal(error) {
      problems.push(`process ${process.name} ended: ${error instanceof Error ? error.stack : String(error)}`);
      process.kill();
    },
  };
  // A group of three processes that are stopped every few seconds is fenced more often than one in earnest.
  return createFlow(options, { failingMs: 600_000, fenced: 1000, fencedMs: 300_000 });
}

export const SILENT: FlowObserver = {
  assigned() {},
  rebuilt() {},
  revoked() {},
  read() {},
  committed() {},
  restarting() {},
  statePaused() {},
};

/** Scores are the count of events, and a model refuses one amount. */
export function simulatedScorer(process: Pick<SimulatedProcess, 'work' | 'random'>, digest: string): Scorer {
  return {
    name: 'simulated',
    version: digest,
    digest,
    definitionDigest: digest,
    featureNames: ['amount'],
    async score(events) {
      await process.work(process.random() * 20);
      const rejected = events.map(({ due }) =>
        due.event.values[3] === REFUSED_AMOUNT ? rejection('null in a required feature') : 0,
      );
      return { millionths: Int32Array.from(events, ({ due }) => Number(due.features?.[0] ?? 0)), rejected };
    },
    close: async () => undefined,
  };
}

export const OUTPUTS: Outputs = {
  scored: ({ partition, due, millionths, scorer }) => {
    const { event, features, idle } = due;
    const value = { partition, offset: event.offset, features, score: millionths, model: scorer.digest, idle };
    return [{ topic: OUTPUT.scores, key: event.key, value: JSON.stringify(value) }];
  },
  rejected: ({ partition, record, reason }) => ({
    topic: OUTPUT.deadLetter,
    key: record.key,
    value: JSON.stringify({ partition, offset: record.offset, reason }),
  }),
};

/** Does to random processes what happens to processes. */
async function disturb({ scenario, clock, group, random }: World, slots: readonly Slot[]): Promise<void> {
  let model = 0;
  const happen: Record<Disturbance, (slot: Slot) => void> = {
    rebalance: () => group.rebalance(),
    'switch model': () => {
      model += 1;
      for (const { flow, process } of slots)
        if (process !== undefined) void flow?.swap(simulatedScorer(process, String(model)));
    },
    drain: ({ flow, process }) => void flow?.finish().then(() => process?.kill()),
    'pause and resume': ({ flow }) => {
      flow?.pause();
      void clock.sleep(random() * 8000).then(() => flow?.resume());
    },
    kill: ({ process }) => process?.kill(),
    'stop the process': ({ process }) => process?.pauseFor(random() * 40_000),
  };
  for (const disturbance of DISTURBANCES) {
    const mean = scenario.between[disturbance];
    if (mean === Number.POSITIVE_INFINITY) continue;
    void (async () => {
      for (;;) {
        await clock.sleep(random() * 2 * mean);
        if (clock.now > CALM_MS) return;
        happen[disturbance](slots[Math.floor(random() * slots.length)] as Slot);
      }
    })();
  }
}

import { seededRandom } from '../../../src/random.ts';
import type { LogRecord } from '../../../src/stream/log.ts';
import { createFlow } from '../../../src/stream/partition/flow.ts';
import type { Flow, FlowOptions } from '../../../src/stream/partition/ports.ts';
import { createPartitionWindow } from '../../../src/stream/window/window.ts';
import { virtualClock } from '../../simulation/virtual-clock.ts';
import { type Broker, readCommitted, startBroker } from '../simulation/broker.ts';
import { coordinate } from '../simulation/group.ts';
import { EPOCH } from '../simulation/input.ts';
import { simulatedLog } from '../simulation/log.ts';
import { decode, FEATURES } from '../simulation/oracle.ts';
import { NO_FAULTS, startProcess } from '../simulation/process.ts';
import { OUTPUTS, SILENT, simulatedScorer } from '../simulation/simulate.ts';

export interface Place {
  readonly broker: Broker;
  /**
   * Runs one process for a while, and ends it by `finish`.
   *
   * @returns what ended it, if something did
   */
  run(change?: Partial<FlowOptions>, during?: (flow: Flow) => Promise<void>): Promise<Error | undefined>;
  sleep(ms: number): Promise<void>;
  /** Offsets and reasons of what a reader of committed records sees, as `PARTITION:OFFSET REASON?`. */
  written(): string[];
}

/** A topic in memory, read by one process at a time. */
export function place(partitions = 1): Place {
  const clock = virtualClock();
  const broker = startBroker({ clock, partitions, transactionTimeoutMs: 20_000, commitMs: () => 1 });
  const random = seededRandom(1);
  let started = 0;
  return {
    broker,
    sleep: (ms) => clock.sleep(ms),
    written: () =>
      readCommitted(broker).map(({ value }) => {
        const { partition, offset, reason } = JSON.parse(String(value)) as {
          partition: number;
          offset: number;
          reason?: string;
        };
        return `${partition}:${offset}${reason === undefined ? '' : ` ${reason}`}`;
      }),
    async run(change = {}, during = () => clock.sleep(20_000)) {
      started += 1;
      const group = coordinate({ clock, partitions: broker.input.length, sessionMs: 10_000, random });
      const rates = () => NO_FAULTS;
      const process = startProcess({ name: String(started), clock, random, rates, onDeath() {}, epoch: EPOCH });
      let fatal: Error | undefined;
      const flow = createFlow({
        log: simulatedLog({ broker, group, process, fetchRecords: 10 }),
        settings: SETTINGS,
        start: 'earliest',
        acceptNewGroup: false,
        acceptFeatures: false,
        windowOf: createPartitionWindow,
        decode,
        attributes: undefined,
        scorer: simulatedScorer(process, 'first'),
        outputs: OUTPUTS,
        mostBytes: () => undefined,
        clock: process.clock,
        observer: SILENT,
        random,
        onFatal(error) {
          fatal = error as Error;
        },
        ...change,
      });
      void (async () => {
        try {
          await flow.start();
          await during(flow);
        } catch (error) {
          fatal = error as Error;
        }
        await flow.finish();
        process.kill();
      })();
      await clock.run();
      return fatal;
    },
  };
}

export const SETTINGS: FlowOptions['settings'] = {
  name: 'fraud',
  group: 'g',
  input: 'events',
  output: { scores: 'scores' },
  features: { ...FEATURES, asOf: 'arrival' },
  idleMs: undefined,
  limits: { eventsPerKey: 1000, stateBytes: 1e9, batchEvents: 100, messageBytes: 1e6 },
};

/** Appends an event a second after the one before. */
export function append(broker: Broker, events: readonly { readonly key: string; readonly id?: string }[], partition = 0): void {
  const input = broker.input[partition];
  if (input === undefined) throw new Error(`no partition ${partition}`);
  for (const { key, id } of events) {
    const offset = input.entries.length;
    const timestamp = EPOCH + 1000 * offset;
    const value = JSON.stringify({ id: id ?? `${partition}/${offset}`, key, time: timestamp, amount: 1 });
    const record: LogRecord = { offset, timestamp, key: Buffer.from(key), value: Buffer.from(value) };
    input.entries.push(record);
  }
  input.stable = input.entries.length;
}

import { describe, expect, it } from 'vitest';
import { EXIT_CODES, ScoreBatchError } from '../../../src/errors.ts';
import type { AsOf } from '../../../src/event-features/definition.ts';
import { seededRandom } from '../../../src/random.ts';
import { type Replayed, type ReplayOptions, replay } from '../../../src/stream/partition/replay.ts';
import { createPartitionWindow } from '../../../src/stream/window/window.ts';
import { virtualClock } from '../../simulation/virtual-clock.ts';
import { type Broker, readCommitted, startBroker } from '../simulation/broker.ts';
import { coordinate } from '../simulation/group.ts';
import { arrivalsOf, EPOCH } from '../simulation/input.ts';
import { simulatedLog } from '../simulation/log.ts';
import { decode, FEATURES, verdictsOf } from '../simulation/oracle.ts';
import { type FaultRates, NO_FAULTS, startProcess } from '../simulation/process.ts';
import { OUTPUTS, SILENT, simulatedScorer } from '../simulation/simulate.ts';

const PARTITIONS = 2;

interface Written {
  readonly partition: number;
  readonly offset: number;
  readonly features?: readonly unknown[];
  readonly model?: string;
  readonly idle?: boolean;
  readonly reason?: string;
}

/** A topic in memory with a stretch in its middle, and replays of it. */
function topicOf(seed: number, asOf: AsOf, records = 250) {
  const clock = virtualClock();
  const random = seededRandom(seed);
  const broker = startBroker({ clock, partitions: PARTITIONS, transactionTimeoutMs: 20_000, commitMs: () => 1 });
  for (const [partition, input] of broker.input.entries()) {
    const arrivals = arrivalsOf({ random, partition, records, gapMs: 100, quietMs: 3000 });
    input.entries.push(...arrivals.map(({ entry }) => entry));
    input.stable = input.entries.length;
  }
  const features = { ...FEATURES, asOf };
  const settings: ReplayOptions['settings'] = {
    ...{ name: 'fraud', group: 'g-replay-scores', input: 'events', output: { scores: 'scores' }, features, idleMs: undefined },
    limits: { eventsPerKey: 1000, stateBytes: 1e9, batchEvents: 20, messageBytes: 1e6 },
  };
  const stretch = { from: EPOCH + 12_000, to: EPOCH + 24_000, scope: 'one' };
  let started = 0;

  /** @param rates of the n-th request */
  async function run(change: Partial<ReplayOptions> = {}, rates: (request: number) => FaultRates = () => NO_FAULTS) {
    started += 1;
    let requests = 0;
    const process = startProcess({
      ...{ name: String(started), clock, random, onDeath() {}, epoch: EPOCH },
      rates: () => rates(requests++),
    });
    let outcome: Replayed | Error | undefined;
    void replay({
      log: simulatedLog({
        ...{ broker, process, fetchRecords: 30 },
        group: coordinate({ clock, partitions: PARTITIONS, sessionMs: 10_000, random }),
      }),
      ...{
        settings,
        stretch,
        topics: ['scores', 'dead letters'],
        windowOf: createPartitionWindow,
        decode,
        attributes: undefined,
      },
      ...{ scorer: simulatedScorer(process, 'other'), outputs: OUTPUTS, mostBytes: () => undefined, clock: process.clock },
      ...{ observer: SILENT, random, signal: new AbortController().signal },
      ...change,
    }).then(
      (replayed) => (outcome = replayed),
      (error: unknown) => (outcome = error as Error),
    );
    await clock.run();
    return { outcome, requests };
  }
  return { broker, features, settings, stretch, run, written: () => writtenTo(broker) };
}

function writtenTo(broker: Broker): Written[] {
  return readCommitted(broker)
    .map(({ value }) => JSON.parse(String(value)) as Written)
    .sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}

/** What the rules say of the whole log, of what is in the stretch. */
function expectedOf({ broker, features, stretch }: ReturnType<typeof topicOf>): Written[] {
  const within = (ms: number) => ms >= stretch.from && ms < stretch.to;
  return broker.input.flatMap(({ entries }, partition) => {
    const records = entries.filter((entry) => entry !== 'passed over');
    const { expected } = verdictsOf(records, features);
    return records.flatMap((record): Written[] => {
      const { offset } = record;
      const one = expected.get(offset);
      if (one?.is === 'scored') {
        return within(one.event.time) ? [{ partition, offset, features: one.features }] : [];
      }
      // An event that the model refuses was accepted: it counts by its own time.
      const event = decode(record);
      const time = one?.is === 'rejected' && one.reason === 'refused by the model' && 'time' in event ? event.time : undefined;
      return one?.is === 'rejected' && within(time ?? record.timestamp) ? [{ partition, offset, reason: one.reason }] : [];
    });
  });
}

/** Without what says which model it was. */
function facts({ partition, offset, features, reason }: Written): Written {
  return reason === undefined ? { partition, offset, features: features ?? [] } : { partition, offset, reason };
}

it.each([...'12345678'].flatMap((seed) => [[Number(seed), 'arrival'] as const, [Number(seed), 'event'] as const]))(
  'writes what the rules say of the whole log, of the events of the stretch (%i, as of %s)',
  async (seed, asOf) => {
    const topic = topicOf(seed, asOf);
    const { outcome } = await topic.run();
    expect(outcome).toEqual({ partitions: PARTITIONS, continued: false, unsettled: [] });
    const written = topic.written();
    const expected = expectedOf(topic);
    expect(expected.filter(({ features }) => features).length).toBeGreaterThan(50);
    // It is read until no event of the stretch can come any more: what is rejected after that is not told.
    const last = new Map(written.map(({ partition, offset }) => [partition, offset]));
    const isRead = ({ partition, offset }: Written) => offset <= (last.get(partition) ?? -1);
    expect(written.map(facts)).toEqual(expected.filter(isRead));
    expect(expected.filter((one) => !isRead(one) && one.features)).toEqual([]);
    expect(new Set(written.map(({ model }) => model))).toEqual(new Set(['other', undefined]));
    expect(written.some(({ idle }) => idle)).toBe(false);
    // Again: nothing is left.
    expect((await topic.run()).outcome).toEqual({ partitions: PARTITIONS, continued: true, unsettled: [] });
    expect(topic.written()).toEqual(written);
  },
);

it.each(['arrival', 'event'] as const)(
  'continues after it was killed at any request, or after any answer was lost (as of %s)',
  async (asOf) => {
    const whole = topicOf(3, asOf, 200);
    const { requests } = await whole.run();
    const expected = whole.written().map(facts);
    for (let at = 0; at < requests; at += 1) {
      for (const fault of ['killed', 'answerLost'] as const) {
        const topic = topicOf(3, asOf, 200);
        await topic.run({}, (request) => (request === at ? { ...NO_FAULTS, [fault]: 1 } : NO_FAULTS));
        const { outcome } = await topic.run();
        expect({ at, fault, outcome }).toEqual({ at, fault, outcome: expect.objectContaining({ unsettled: [] }) });
        expect({ at, fault, written: topic.written().map(facts) }).toEqual({ at, fault, written: expected });
      }
    }
  },
);

it('as of event, scores what waits where the log ends, marked, and says that more may come', async () => {
  const topic = topicOf(5, 'event');
  const stretch = { ...topic.stretch, to: EPOCH + 3_600_000 };
  const { outcome } = await topic.run({ stretch });
  expect(outcome).toEqual({ partitions: PARTITIONS, continued: false, unsettled: [0, 1] });
  const scores = topic.written().filter(({ features }) => features);
  expect(scores.filter(({ idle }) => idle).length).toBeGreaterThan(0);
  expect(scores.map(facts)).toEqual(expectedOf({ ...topic, stretch }).filter(({ features }) => features));
});

describe('refuses', () => {
  const expectRefused = (outcome: unknown, code: number, message: RegExp) => {
    expect(outcome).toBeInstanceOf(ScoreBatchError);
    const { kind, message: text } = outcome as ScoreBatchError;
    expect({ code: EXIT_CODES[kind], text }).toEqual({ code, text: expect.stringMatching(message) });
  };

  it('a topic with something else, and another stretch or model in the topic of one', async () => {
    const topic = topicOf(1, 'arrival');
    const id = 'somebody';
    topic.broker.produce(id, topic.broker.init(id), [{ topic: 'scores', key: null, value: '{}' }]);
    expectRefused((await topic.run()).outcome, 65, /topic scores is not empty, and its records are not from this replay/);
    const own = topicOf(1, 'arrival');
    await own.run();
    expectRefused((await own.run({ stretch: { ...own.stretch, scope: 'two' } })).outcome, 65, /is not empty/);
    // A topic that was emptied takes another one, from the start.
    const before = own.written();
    own.broker.output.splice(0, own.broker.output.length);
    expect((await own.run({ stretch: { ...own.stretch, scope: 'two' } })).outcome).toMatchObject({ continued: false });
    expect(own.written()).toEqual(before);
  });

  it('a stretch whose windows the log does not have any more', async () => {
    const topic = topicOf(1, 'arrival');
    const [input] = topic.broker.input;
    if (input !== undefined) input.begin = 20;
    expectRefused((await topic.run()).outcome, 78, /partition 0 of topic events starts at offset 20/);
    expect(topic.broker.output).toEqual([]);
  });

  it('windows beyond limits.state', async () => {
    const topic = topicOf(1, 'arrival');
    const small = { ...topic.settings, limits: { ...topic.settings.limits, stateBytes: 100 } };
    expectRefused((await topic.run({ settings: small })).outcome, 69, /more than limits.state \(100\)/);
  });
});

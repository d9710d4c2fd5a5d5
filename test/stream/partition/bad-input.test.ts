import { describe, expect, it } from 'vitest';
import { EXIT_CODES, ScoreBatchError } from '../../../src/errors.ts';
import { FencedError, TooLargeError } from '../../../src/stream/log.ts';
import type { FlowOptions } from '../../../src/stream/partition/ports.ts';
import { FEATURES } from '../simulation/oracle.ts';
import { OUTPUTS, SILENT } from '../simulation/simulate.ts';
import { append, type Place, place, SETTINGS } from './one-process.ts';

const EVENTS = Array.from({ length: 30 }, (_, i) => ({ key: `k${i % 3}` }));

/** Thirty events that a first process has read. */
async function afterThirty(partitions = 1): Promise<Place> {
  const topic = place(partitions);
  append(topic.broker, EVENTS);
  expect(await topic.run()).toBeUndefined();
  expect(topic.written()).toHaveLength(30);
  return topic;
}

function expectStop(error: Error | undefined, code: number, message: RegExp): void {
  expect(error).toBeInstanceOf(ScoreBatchError);
  const { kind, message: text, hint } = error as ScoreBatchError;
  expect({ code: EXIT_CODES[kind], text }).toEqual({ code, text: expect.stringMatching(message) });
  expect(hint).toBeDefined();
}

function commitMetadata({ broker }: Place, change: (metadata: Record<string, unknown>) => unknown): void {
  const { offset, metadata } = broker.committed.get(0) ?? { offset: 0, metadata: '' };
  const changed = change(JSON.parse(metadata) as Record<string, unknown>);
  broker.committed.set(0, { offset, metadata: typeof changed === 'string' ? changed : JSON.stringify(changed) });
}

describe('stops with 78', () => {
  it('when the topic was recreated and is shorter', async () => {
    const topic = await afterThirty();
    topic.broker.input[0]?.entries.splice(0, 30);
    append(topic.broker, [{ key: 'k0' }]);
    expectStop(await topic.run(), 78, /deleted and recreated/);
  });

  it('when the topic was recreated and is as long, by the checksum of the last record', async () => {
    const topic = await afterThirty();
    topic.broker.input[0]?.entries.splice(0, 30);
    append(
      topic.broker,
      [...EVENTS, ...EVENTS].map(({ key }, i) => ({ key, id: `other ${i}` })),
    );
    expectStop(await topic.run(), 78, /deleted and recreated/);
    expect(topic.written()).toHaveLength(30);
  });

  it('when partitions were added, at the next start and while it runs', async () => {
    const topic = await afterThirty();
    const added = topic.run({}, async () => {
      await topic.sleep(10_000);
      topic.broker.input.push({ begin: 0, entries: [], stable: 0 });
      await topic.sleep(120_000);
    });
    expectStop(await added, 78, /2 partitions instead of 1/);
    expectStop(await topic.run(), 78, /2 partitions instead of 1/);
  });

  it('when the log dropped events that were not read', async () => {
    const topic = await afterThirty();
    append(topic.broker, EVENTS);
    const [input] = topic.broker.input;
    if (input !== undefined) input.begin = 31;
    expectStop(await topic.run(), 78, /the log starts at offset 31, but events from offset 30 on have not been scored yet/);
  });

  it.each([
    ['of another tool', () => '', /not written by `score-batch stream`/],
    ['of another tool that writes JSON', () => '{"a":1}', /not written by `score-batch stream`/],
    ['of another version', (metadata: Record<string, unknown>) => ({ ...metadata, v: 2 }), /another version/],
    ['with a property too many', (metadata: Record<string, unknown>) => ({ ...metadata, more: 1 }), /damaged/],
    ['with an offset that was moved', (metadata: Record<string, unknown>) => ({ ...metadata, position: 3 }), /damaged/],
  ])('when the metadata is %s', async (_what, change, message) => {
    const topic = await afterThirty();
    commitMetadata(topic, change);
    expectStop(await topic.run(), 78, message);
  });

  it.each([
    ['compacted', { compacted: true }, /is compacted/],
    ['kept for too short a time', { retentionMs: 10_000 }, /keeps records for 10s, but windows need 1m 14s/],
  ])('before it joins, when the input is %s', async (_what, facts, message) => {
    const topic = place();
    topic.broker.facts = facts;
    expectStop(await topic.run(), 78, message);
  });

  it('when a key is in two partitions, without saying which key', async () => {
    const topic = place(2);
    append(topic.broker, EVENTS);
    append(topic.broker, [{ key: 'k1' }], 1);
    const error = await topic.run();
    expectStop(error, 78, /a key of topic events is in partition 0 and in partition 1|in partition 1 and in partition 0/);
    expect(JSON.stringify({ ...error, message: error?.message })).not.toContain('k1');
  });
});

describe('another job with the same group', () => {
  it('is refused where the group has committed, but a job that changes its name or its topic of scores is not', async () => {
    const topic = await afterThirty();
    append(topic.broker, EVENTS);
    const other = { ...SETTINGS, name: 'other', output: { scores: 'other-scores' } };
    expectStop(
      await topic.run({ settings: other }),
      78,
      /^group g belongs to the job fraud, which writes its scores to scores$/,
    );
    expect(topic.written()).toHaveLength(30);
    expect(await topic.run({ settings: { ...SETTINGS, name: 'renamed' } })).toBeUndefined();
    append(topic.broker, EVENTS);
    expect(await topic.run({ settings: { ...SETTINGS, name: 'renamed', output: { scores: 'scores-2' } } })).toBeUndefined();
    expect(topic.written()).toHaveLength(90);
  });
});

describe('other features', () => {
  const other: FlowOptions['settings'] = {
    ...SETTINGS,
    features: { ...SETTINGS.features, features: FEATURES.features.slice(0, 2), digest: 'e'.repeat(64) },
  };

  it('are refused, and accepted if that is asked for: windows are rebuilt with them', async () => {
    const topic = await afterThirty();
    append(topic.broker, EVENTS);
    expectStop(await topic.run({ settings: other }), 78, /feature file has changed/);
    expect(await topic.run({ settings: other, acceptFeatures: true })).toBeUndefined();
    const written = topic.written();
    expect(written).toHaveLength(60);
    expect(new Set(written).size).toBe(60);
    const values = topic.broker.output.slice(-3).map(({ record }) => JSON.parse(String(record.value)).features as unknown);
    // Two events of the key within 5 s, one within 3 s and the event itself: as if they had always been there.
    expect(values).toEqual([
      [2, 2],
      [2, 2],
      [2, 2],
    ]);
  });

  it('are refused in any case if they decide what is late, and the hint says why', async () => {
    const topic = await afterThirty();
    const later = { ...SETTINGS, features: { ...SETTINGS.features, latenessMs: SETTINGS.features.latenessMs + 1 } };
    const error = await topic.run({ settings: later, acceptFeatures: true });
    expectStop(error, 78, /has changed in the feature file/);
    expect(error).toMatchObject({ hint: expect.stringContaining('the earlier values decided which events are late') });
  });

  it('are refused in any case if pending events would be lost', async () => {
    const topic = await afterThirty();
    const event = { ...other, features: { ...other.features, asOf: 'event' as const } };
    expectStop(await topic.run({ settings: event, acceptFeatures: true }), 78, /has changed in the feature file/);
  });
});

it('stops with 75 when another process keeps taking its transactional id, and loses and doubles nothing', async () => {
  const topic = place();
  append(topic.broker, EVENTS);
  let thefts = 0;
  const error = await topic.run({ outputs: { ...OUTPUTS, scored: steal } }, () => topic.sleep(600_000));
  expectStop(error, 75, /another process took over partition 0 of events/);
  expect((error as ScoreBatchError).cause).toBeInstanceOf(FencedError);
  expect(thefts).toBeGreaterThan(10);
  expect(topic.written()).toEqual([]);
  expect(await topic.run()).toBeUndefined();
  expect(topic.written()).toHaveLength(30);

  function steal(event: Parameters<typeof OUTPUTS.scored>[0]) {
    if (event.due.event.offset === 0) {
      thefts += 1;
      topic.broker.init('g-events-0');
    }
    return OUTPUTS.scored(event);
  }
});

it('stops with 69 and a hint when windows take more than limits.state', async () => {
  const topic = place();
  append(topic.broker, EVENTS);
  const settings = { ...SETTINGS, limits: { ...SETTINGS.limits, stateBytes: 100 } };
  let paused = 0;
  const observer = {
    ...SILENT,
    statePaused(bytes: number) {
      paused = bytes;
    },
  };
  expectStop(await topic.run({ settings, observer }, () => topic.sleep(60_000)), 69, /more than limits.state \(100\)/);
  expect(paused).toBeGreaterThan(100);
});

it('stops with what the scorer throws, and commits nothing of that batch', async () => {
  const topic = place();
  append(topic.broker, EVENTS);
  const scorer = {
    name: 'broken',
    version: '1',
    digest: 'broken',
    definitionDigest: 'broken',
    featureNames: [],
    score: () => Promise.reject(new ScoreBatchError('unavailable', 'the device was lost', { hint: 'restart it' })),
    close: async () => undefined,
  };
  expectStop(await topic.run({ scorer }), 69, /device was lost/);
  expect(await topic.run()).toBeUndefined();
  expect(topic.written()).toHaveLength(30);
});

describe('a score that is too large becomes a dead letter', () => {
  const large: FlowOptions['outputs'] = {
    ...OUTPUTS,
    scored: (event) => {
      const [record] = OUTPUTS.scored(event);
      return record === undefined || event.due.event.offset !== 7
        ? OUTPUTS.scored(event)
        : [{ ...record, value: `${record.value}${' '.repeat(500)}` }];
    },
  };

  it('by the known limit of the topic', async () => {
    const topic = place();
    append(topic.broker, EVENTS);
    expect(await topic.run({ outputs: large, mostBytes: () => 500 })).toBeUndefined();
    expect(topic.written()).toHaveLength(30);
    expect(topic.written()).toContain('0:7 too large');
  });

  it('when the brokers refuse it', async () => {
    const topic = place();
    append(topic.broker, EVENTS);
    const { produce } = topic.broker;
    topic.broker.produce = (id, epoch, records) => {
      const refused = records.find(({ value }) => value.length > 500);
      if (refused !== undefined) throw new TooLargeError({ ...refused });
      produce(id, epoch, records);
    };
    expect(await topic.run({ outputs: large })).toBeUndefined();
    expect(topic.written()).toHaveLength(30);
    expect(topic.written()).toContain('0:7 too large');
  });
});

import { expect, it } from 'vitest';
import { parseMetadata } from '../../../src/stream/partition/metadata.ts';
import type { Flow } from '../../../src/stream/partition/ports.ts';
import type { Scorer } from '../../../src/stream/scorer.ts';
import { readCommitted } from '../simulation/broker.ts';
import { OUTPUTS, SILENT, simulatedScorer } from '../simulation/simulate.ts';
import { append, place, SETTINGS } from './one-process.ts';

const TEN = Array.from({ length: 10 }, () => ({ key: 'k' }));

it('switches the model between transactions, writes where, and says when the earlier one is free', async () => {
  const topic = place();
  append(topic.broker, TEN);
  const told: string[] = [];
  let inUse = 0;
  const counted = (digest: string): Scorer => {
    const scorer = simulatedScorer({ work: () => topic.sleep(500), random: () => 0 }, digest);
    return {
      ...scorer,
      async score(events) {
        inUse += 1;
        const scores = await scorer.score(events);
        inUse -= 1;
        return scores;
      },
    };
  };
  const error = await topic.run({ scorer: counted('first') }, async (flow) => {
    while (inUse === 0) await topic.sleep(10);
    const free = flow.swap(counted('second')).then(() => told.push(`free, ${inUse} in use`));
    told.push(`swapped, ${inUse} in use`);
    await free;
    await topic.sleep(5000);
    append(topic.broker, TEN);
    await topic.sleep(5000);
  });
  expect(error).toBeUndefined();
  expect(told).toEqual(['swapped, 1 in use', 'free, 0 in use']);
  const models = readCommitted(topic.broker).map(({ value }) => (JSON.parse(String(value)) as { model: string }).model);
  const switched = models.indexOf('second');
  expect(models).toEqual(models.map((_, i) => (i < switched ? 'first' : 'second')));
  const { offset, metadata } = topic.broker.committed.get(0) ?? { offset: 0, metadata: '' };
  expect(parseMetadata(metadata, offset, 'here')).toMatchObject({ model: 'second second', modelSince: switched });
});

it('reads nothing while the operator pauses it, and then all of it', async () => {
  const topic = place();
  const read: number[] = [];
  const observer = { ...SILENT, read: (_partition: number, records: number) => read.push(records) };
  let whilePaused = -1;
  const error = await topic.run({ observer }, async (flow) => {
    await topic.sleep(1000);
    flow.pause();
    await topic.sleep(1000);
    append(topic.broker, TEN);
    await topic.sleep(5000);
    whilePaused = read.length;
    flow.resume();
    await topic.sleep(5000);
  });
  expect(error).toBeUndefined();
  expect(whilePaused).toBe(0);
  expect(topic.written()).toHaveLength(10);
});

it.each([
  ['paused', (flow: Flow) => flow.pause()],
  ['ended', (flow: Flow) => void flow.finish()],
])('leaves what was fetched after the transaction in flight when it is %s', async (what, stop) => {
  const topic = place();
  append(topic.broker, TEN);
  const settings = { ...SETTINGS, limits: { ...SETTINGS.limits, batchEvents: 1 } };
  let inFlight = 0;
  const error = await topic.run({ settings }, async (flow) => {
    while (topic.written().length < 3) await topic.sleep(1);
    inFlight = topic.written().length;
    stop(flow);
    await topic.sleep(5000);
    expect(topic.written().length).toBeLessThanOrEqual(inFlight + 1);
    if (what === 'paused') flow.resume();
    await topic.sleep(5000);
  });
  expect(error).toBeUndefined();
  // After a pause the rest follows by itself, after an end with the next process.
  expect(topic.written().length === 10).toBe(what === 'paused');
  expect(await topic.run({ settings })).toBeUndefined();
  expect(new Set(topic.written()).size).toBe(10);
  expect(topic.written()).toHaveLength(10);
});

it('says that windows are rebuilt once they are, with the events that they have then, before it scores others', async () => {
  const topic = place();
  append(topic.broker, TEN);
  expect(await topic.run()).toBeUndefined();
  append(topic.broker, TEN);
  const told: string[] = [];
  const observer = {
    ...SILENT,
    rebuilt: (_: number, events: number) => told.push(`rebuilt ${events}`),
    committed: (_: number, { position }: { readonly position: number }) => told.push(`committed ${position}`),
  };
  expect(await topic.run({ observer })).toBeUndefined();
  expect(told[0]).toMatch(/^rebuilt [5-9]$/);
  expect(told.at(-1)).toBe('committed 20');
});

it('knows the lag of a partition that is paused, and of one that was never read', async () => {
  const topic = place();
  append(topic.broker, TEN);
  const lags: number[] = [];
  const error = await topic.run({}, async (flow) => {
    const see = () => lags.push(...flow.partitions.map(({ end, position }) => end - position));
    flow.pause();
    await topic.sleep(10_000);
    see();
    append(topic.broker, TEN);
    await topic.sleep(70_000);
    see();
    flow.resume();
    await topic.sleep(10_000);
    see();
    flow.pause();
    append(topic.broker, TEN);
    await topic.sleep(70_000);
    see();
  });
  expect(error).toBeUndefined();
  expect(lags).toEqual([10, 20, 0, 10]);
});

it('begins at the end if that is asked for, and stays there although it ends before the first event', async () => {
  const topic = place();
  append(topic.broker, TEN);
  expect(await topic.run({ start: 'latest' })).toBeUndefined();
  append(topic.broker, TEN);
  expect(await topic.run({ start: 'latest' })).toBeUndefined();
  expect(topic.written()).toEqual(TEN.map((_, i) => `0:${10 + i}`));
});

it('drains: what is in flight is committed, what came later is read by the next process', async () => {
  const topic = place();
  append(topic.broker, TEN);
  const positions: number[] = [];
  const observer = {
    ...SILENT,
    committed: (_partition: number, { position }: { position: number }) => positions.push(position),
  };
  expect(await topic.run({ observer }, () => topic.sleep(300))).toBeUndefined();
  const afterwards = topic.written().length;
  expect(afterwards).toBe(positions.at(-1) ?? 0);
  append(topic.broker, TEN);
  expect(await topic.run()).toBeUndefined();
  expect(topic.written()).toEqual([...TEN, ...TEN].map((_, i) => `0:${i}`));
});

it('is ready once its partitions are rebuilt, and not while one waits to be opened again', async () => {
  const topic = place();
  append(topic.broker, TEN);
  expect(await topic.run()).toBeUndefined();
  append(topic.broker, TEN);
  const seen: boolean[] = [];
  const restarting: boolean[] = [];
  let stolen = false;
  const outputs: typeof OUTPUTS = {
    ...OUTPUTS,
    scored(one) {
      if (!stolen) topic.broker.init('g-events-0');
      stolen = true;
      return OUTPUTS.scored(one);
    },
  };
  const error = await topic.run({ outputs }, async (flow) => {
    seen.push(flow.ready);
    while (!stolen) await topic.sleep(10);
    await topic.sleep(500);
    restarting.push(flow.ready);
    await topic.sleep(20_000);
    seen.push(flow.ready);
  });
  expect(error).toBeUndefined();
  expect([seen, restarting]).toEqual([[false, true], [false]]);
  expect(topic.written()).toHaveLength(20);
});

import { randomUUID } from 'node:crypto';
import { describe, expect, inject, it } from 'vitest';
import { makeTopic, producerOf, recording, recordsTo, settingsOf, withLog, write } from './fixture.ts';

const brokers = inject('kafka') ?? [];
const settings = settingsOf(brokers);

// Without Java there is no Kafka.
describe.runIf(brokers.length > 0)('a member of a group', () => {
  it('reads from where it says, and again from there after a restart', () =>
    withLog(settings, async (log) => {
      const topic = await makeTopic(brokers);
      await write(log, topic, [['a', 'b'], ['c']], 0);
      let start = 1;
      const recorded = recording(() => start);
      const subscription = await log.subscribe(topic, randomUUID(), recorded.member);
      await recorded.until(() => recorded.values.length === 2);
      expect(recorded.values).toEqual(['b', 'c']);
      expect(recorded.batches.at(-1)).toMatchObject({ partition: 0, next: 5, end: 5 });
      start = 0;
      subscription.restart(0);
      await recorded.until(() => recorded.values.length === 5);
      await subscription.close();
      expect(recorded.values).toEqual(['b', 'c', 'a', 'b', 'c']);
      expect(recorded.calls.filter((call) => !call.startsWith('batch'))).toEqual(['assigned 0', 'assigned 0']);
    }));

  it('gets nothing of partitions that are paused, and all of it once they are resumed', () =>
    withLog(settings, async (log) => {
      const topic = await makeTopic(brokers, { partitions: 2 });
      const recorded = recording();
      const subscription = await log.subscribe(topic, randomUUID(), recorded.member);
      await recorded.until(() => recorded.calls.length === 2);
      subscription.pause([0]);
      await write(log, topic, [['a']], 0);
      await write(log, topic, [['b']], 1);
      await recorded.until(() => recorded.values.includes('b'));
      await write(log, topic, [['c']], 1);
      await recorded.until(() => recorded.values.includes('c'));
      expect(recorded.values).not.toContain('a');
      subscription.resume([0]);
      await recorded.until(() => recorded.values.includes('a'));
      await subscription.close();
    }));

  it('keeps partitions when another member comes and goes, and calls for one never overlap', () =>
    withLog(settings, (first) =>
      withLog(settings, async (second) => {
        const topic = await makeTopic(brokers, { partitions: 4 });
        const group = randomUUID();
        const here = recording();
        const there = recording();
        const subscription = await first.subscribe(topic, group, here.member);
        await here.until(() => here.calls.length === 4);
        const other = await second.subscribe(topic, group, there.member);
        await there.until(() => there.calls.length === 2);
        await here.until(() => here.calls.filter((call) => call.startsWith('kept')).length === 2);
        expect(here.calls.filter((call) => call.startsWith('revoked'))).toEqual(['revoked 2 3']);
        expect(there.calls).toEqual(['assigned 2', 'assigned 3']);
        await other.close();
        await here.until(() => here.calls.length === 4 + 1 + 2 + 4);
        expect(here.calls.slice(-4).sort()).toEqual(['assigned 2', 'assigned 3', 'kept 0', 'kept 1']);
        await subscription.close();
      }),
    ));

  it('ends with the error of a call, and leaves the group', () =>
    withLog(settings, async (log) => {
      const topic = await makeTopic(brokers);
      await write(log, topic, [['a']], 0);
      const group = randomUUID();
      const failing = recording();
      const subscription = await log.subscribe(topic, group, {
        ...failing.member,
        batch: async () => {
          throw new RangeError('of the member');
        },
      });
      await expect(subscription.ended).rejects.toThrow('of the member');
      const next = recording();
      const other = await log.subscribe(topic, group, next.member);
      await next.until(() => next.values.length === 1);
      await other.close();
    }));

  it('can be closed while it waits for others to join', () =>
    withLog(settings, (first) =>
      withLog(settings, async (second) => {
        const topic = await makeTopic(brokers);
        await write(first, topic, [['a'], ['b']]);
        const group = randomUUID();
        let isClosed = () => {};
        const closed = new Promise<void>((resolve) => {
          isClosed = resolve;
        });
        const busy = recording();
        const subscription = await first.subscribe(topic, group, {
          ...busy.member,
          async batch(batch, isWanted) {
            await busy.member.batch(batch, isWanted);
            // The group cannot go on before it.
            await closed;
            return undefined;
          },
        });
        await busy.until(() => busy.batches.length === 1);
        const waiting = await second.subscribe(topic, group, recording().member);
        await new Promise((resolve) => setTimeout(resolve, 3_000));
        await waiting.close();
        isClosed();
        await busy.until(() => busy.values.includes('b'));
        await subscription.close();
      }),
    ));

  it('is refused where another job with the same group reads another topic', () =>
    withLog(settings, async (log) => {
      const topic = await makeTopic(brokers, { partitions: 2 });
      const other = await makeTopic(brokers, { partitions: 2 });
      const group = randomUUID();
      const recorded = recording();
      const subscription = await log.subscribe(topic, group, recorded.member);
      await recorded.until(() => recorded.calls.length === 2);
      const second = await log.subscribe(other, group, recording().member);
      await expect(second.ended).rejects.toMatchObject({
        kind: 'configuration',
        message: `the group ${group} has members of another job, or members that do not read ${other}`,
      });
      await write(log, topic, [['a']], 1);
      await recorded.until(() => recorded.values.includes('a'));
      await subscription.close();
      expect(recorded.calls).toEqual(['assigned 0', 'assigned 1', 'batch 1', ...recorded.calls.slice(3)]);
    }));

  it('is refused where another job has the same group; members need one name in common', () =>
    withLog(settings, async (log) => {
      const topic = await makeTopic(brokers, { partitions: 2 });
      const group = randomUUID();
      const recorded = recording();
      const subscription = await log.subscribe(topic, group, recorded.member, ['job fraud', 'scores a']);
      await recorded.until(() => recorded.calls.length === 2);
      const other = await log.subscribe(topic, group, recording().member, ['job other', 'scores b']);
      await expect(other.ended).rejects.toMatchObject({
        kind: 'configuration',
        message: expect.stringContaining('has members of another job'),
      });
      const renamed = recording();
      const second = await log.subscribe(topic, group, renamed.member, ['job renamed', 'scores a']);
      await renamed.until(() => renamed.calls.length === 1);
      await Promise.all([subscription.close(), second.close()]);
    }));

  it('commits what it reads while partitions move, each record once', () =>
    withLog(settings, async (log) => {
      const topic = await makeTopic(brokers, { partitions: 4 });
      const output = await makeTopic(brokers);
      const group = randomUUID();
      const values = Array.from({ length: 400 }, (_, i) => `${i}`);
      const starting = async () => {
        const producers = new Map<number, Awaited<ReturnType<typeof producerOf>>>();
        const subscription = await log.subscribe(topic, group, {
          async assigned(partition) {
            const producer = await producerOf(log, topic, partition, group);
            producers.set(partition, producer);
            return (await producer.committed())?.offset ?? 0;
          },
          async batch({ partition, records, next }) {
            const copies = records.map(({ key, value }) => ({ topic: output, key, value: value ?? '' }));
            await producers
              .get(partition)
              ?.commit({ records: copies, offset: next, metadata: '' })
              .catch(() => subscription.restart(partition));
          },
          async revoked() {},
        });
        return subscription;
      };
      const one = await starting();
      const producer = await producerOf(log, output);
      for (let i = 0; i < values.length; i += 40) {
        if (i === 120) void starting().then((two) => setTimeout(() => two.close(), 3_000));
        await producer.commit({ records: recordsTo(topic, values.slice(i, i + 40)), offset: i, metadata: '' });
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      const found: string[] = [];
      const end = new AbortController();
      await log.read(
        output,
        new Map([[0, 0]]),
        async ({ records }) => {
          found.push(...records.map(({ value }) => String(value)));
          if (found.length >= values.length) end.abort();
        },
        end.signal,
      );
      await one.close();
      expect(found.sort()).toEqual(values.sort());
    }));
});

import { setTimeout as delay } from 'node:timers/promises';
import { expect, inject, it } from 'vitest';
import { type StreamProcess, startStream } from './stream-process.ts';
import { closers, eventsOf, STEP_MS, streamTopics } from './stream-topics.ts';
import { expectAsFileMode } from './written.ts';

const brokers = inject('kafka') ?? [];
const EVENTS = 20_000;
const PARTITIONS = 4;
/** Longer than a member may be silent before its partitions are given to others. */
const BEYOND_SESSION_MS = 14_000;

const ASSIGNED = /^partition \d+ is scored here from offset \d+ on/;
const KEPT = /^partition \d+ is scored here from offset \d+ on; it was already here/;
const REBUILT = /^partition \d+ is rebuilt/;

function count({ log }: StreamProcess, text: RegExp): number {
  return [...log.matchAll(new RegExp(text.source, 'gm'))].length;
}

// Without Java there is no Kafka.
it.runIf(brokers.length > 0).each(['arrival', 'event'] as const)(
  'two processes as of %s lose and double nothing over kills, drains, rebalances and a zombie',
  async (asOf) => {
    const topics = await streamTopics(brokers, { partitions: PARTITIONS, asOf, job: 'limits: { batch_events: 100 }\n' });
    const { folder, admin, group, send } = topics;
    const begin = Date.now() - EVENTS * STEP_MS;
    const sending = send(eventsOf(0, EVENTS, begin), 400);
    const members = async () => (await admin.describeGroups([group])).groups[0]?.members.length;

    const first = startStream(folder);
    await first.says(ASSIGNED, PARTITIONS);
    await first.says(REBUILT, PARTITIONS);
    const second = startStream(folder);
    // Two partitions move; of the other two, nothing is made again.
    await second.says(ASSIGNED, 2);
    await first.says(KEPT, 2);
    expect(count(first, REBUILT)).toBe(PARTITIONS);
    expect(first.log).not.toMatch(/reopened/);

    await delay(1500);
    second.signal('SIGKILL');
    await second.ended;
    const third = startStream(folder);
    await third.says(ASSIGNED, 2);
    await third.says(REBUILT, 2);

    await delay(1500);
    const drained = await first.end();
    expect([drained.code, drained.signal], drained.stderr).toEqual([0, null]);
    expect(drained.stderr).toMatch(/^shutting down: transactions in flight are committed$[\s\S]*^ended$/m);
    // It has left: nobody waits for the end of its session.
    expect(await members()).toBe(1);
    const fourth = startStream(folder);
    await fourth.says(ASSIGNED, 2);
    await fourth.says(REBUILT, 2);

    const before = count(third, ASSIGNED);
    fourth.signal('SIGSTOP');
    await delay(BEYOND_SESSION_MS);
    await third.says(ASSIGNED, before + PARTITIONS);
    fourth.signal('SIGCONT');
    // The group has forgotten it, and others wrote in its name: it joins as a new member.
    await fourth.says(/^partition \d+ is no longer scored here/);
    await fourth.says(ASSIGNED, 4);

    await sending;
    await send(closers(PARTITIONS, begin + EVENTS * STEP_MS + 60_000));
    await topics.untilRead(() => `${third.log}\n${fourth.log}`);
    for (const ended of await Promise.all([third.end(), fourth.end()]))
      expect([ended.code, ended.stderr]).toEqual([0, ended.stderr]);
    const { scores, dead } = await expectAsFileMode(topics);
    expect(scores.length).toBeGreaterThan(0.98 * EVENTS);
    expect(dead.length).toBeGreaterThan(10);
  },
  240_000,
);

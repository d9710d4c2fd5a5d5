import { setTimeout as delay } from 'node:timers/promises';
import { expect, inject, it } from 'vitest';
import { startStream, until } from './stream-process.ts';
import { closers, eventsOf, STEP_MS, streamTopics } from './stream-topics.ts';
import { expectAsFileMode } from './written.ts';

const brokers = inject('kafka') ?? [];
const EVENTS = 6000;

/** A line of the text format of Prometheus: comment, sample or nothing. */
const LINE =
  /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z_]+="([^"\\\n]|\\.)*",?)+\})? (-?\d+(\.\d+)?(e[+-]?\d+)?|NaN|[+-]Inf))?$/i;

// Without Java there is no Kafka.
it.runIf(brokers.length > 0)(
  'pauses and resumes under load; metrics and probes say what it does until it is drained',
  async () => {
    // Small transactions and windows of some size, so that there is something to see.
    const topics = await streamTopics(brokers, { job: 'limits: { batch_events: 20 }\n' });
    const { folder, send, committed, input, admin } = topics;
    const begin = Date.now() - EVENTS * STEP_MS;
    await send(eventsOf(0, 2000, begin));
    await send([{ key: 'u1', value: '{"user_id":"u1"}', timestamp: begin, partition: 0 }]);
    const running = startStream(folder);

    // Ready once the windows are made; alive all the time.
    await running.says(/^metrics at/);
    expect((await running.get('/healthz'))?.status).toBe(200);
    await running.says(/^partition \d is rebuilt/, 2);
    await until(
      async () => (await running.get('/readyz'))?.status === 200,
      () => running.log,
    );

    const sending = send(eventsOf(2000, EVENTS - 2000, begin), 800);
    await delay(500);
    running.signal('SIGUSR2');
    await running.says(/^paused: nothing is read/);
    expect(await running.metric('paused')).toBe(1);
    // What was fetched is scored to its end; then nothing moves, and the process stays in its group.
    await delay(1000);
    const held = await committed();
    await delay(1500);
    expect(await committed()).toEqual(held);
    const read = [...held.values()].reduce((sum, { offset }) => sum + offset, 0);
    const ends = await admin.fetchTopicOffsets(input);
    expect(read).toBeLessThan(ends.reduce((sum, { high }) => sum + Number(high), 0));
    expect((await running.get('/readyz'))?.status).toBe(200);

    running.signal('SIGUSR2');
    await running.says(/^resumed$/);
    await sending;
    await send(closers(2, begin + EVENTS * STEP_MS));
    await topics.untilRead(() => running.log);
    await until(
      async () => (await running.metric('lag')) === 0,
      () => 'there is a lag',
    );

    const text = (await running.get('/metrics'))?.text ?? '';
    expect(text.split('\n').filter((line) => !LINE.test(line))).toEqual([]);
    const sent = EVENTS + 2 + 1;
    const [events, rejected, duplicates] = await Promise.all(
      ['events_total', 'rejected_total', 'duplicates_total'].map((name) => running.metric(name)),
    );
    expect([events, rejected, duplicates].reduce((sum = 0, one = 0) => sum + one)).toBe(sent);
    expect(await running.metric('records_total')).toBe(sent);
    expect(await running.metric('rejected_total', 'reason="no id"')).toBe(1);
    expect(await running.metric('rejected_total', 'reason="late"')).toBe((rejected ?? 0) - 1);
    expect(await running.metric('latency_seconds_count')).toBe(events);
    expect(await running.metric('latency_seconds_bucket', 'le="+Inf"')).toBe(events);
    expect(await running.metric('window_bytes', 'partition="0"')).toBeGreaterThan(10_000);
    expect(await running.metric('window_keys')).toBeGreaterThan(50);
    expect(text).toMatch(/^score_batch_stream_model_info\{model="linear",version="1",digest="[0-9a-f]{64}"\} 1$/m);

    // A second start makes windows again, and is ready only then.
    const drained = await running.end();
    expect([drained.code, drained.stderr]).toEqual([0, expect.stringMatching(/^ended$/m)]);
    expect(await running.get('/healthz')).toBeUndefined();
    const again = startStream(folder);
    await again.says(/^metrics at/);
    const first = await again.get('/readyz');
    if (first?.status === 503) expect(first.text).toBe('not ready\n');
    await again.says(/^partition \d is rebuilt: \d[\d,]* events/, 2);
    await until(
      async () => (await again.get('/readyz'))?.status === 200,
      () => again.log,
    );
    expect(await again.metric('rebuilding')).toBe(0);
    expect(await again.metric('rebuild_seconds_count')).toBe(2);
    expect((await again.end()).code).toBe(0);
    await expectAsFileMode(topics);
  },
  180_000,
);

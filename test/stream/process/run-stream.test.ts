import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import type { Log, TopicFacts } from '../../../src/stream/log.ts';
import { runStream } from '../../../src/stream/process/run-stream.ts';
import { readStreamSettings } from '../../../src/stream/settings/read.ts';
import { streamProject } from '../stream-project.ts';

// The time that an end may take passes at once.
vi.mock('node:timers/promises', () => ({ setTimeout: vi.fn(async () => undefined) }));

const FACTS: TopicFacts = {
  partitions: [{ partition: 0, begin: 0, end: 0 }],
  compacted: false,
  deletes: false,
  ...{ retentionMs: undefined, retentionBytes: undefined, maxMessageBytes: undefined },
  ...{ minCompactionLagMs: undefined, minInSyncReplicas: undefined },
  replicas: 1,
};

it('ends by itself before its grace is over, although a transaction hangs', async () => {
  const absent = async (): Promise<never> => expect.unreachable();
  const log: Log = {
    describe: async () => FACTS,
    brokers: async () => 1,
    subscribe: async () => ({
      ...{ restart() {}, pause() {}, resume() {} },
      ended: new Promise(() => undefined),
      close: () => new Promise(() => undefined),
    }),
    ...{ read: absent, offsetAt: absent, openProducer: absent },
    close: async () => undefined,
  };
  const folder = await streamProject();
  const ending = new AbortController();
  const lines: string[] = [];
  let graceMs = 0;
  await runStream({
    read: () => readStreamSettings('fraud', folder, {}),
    ...{
      start: 'earliest',
      acceptFeatures: false,
      acceptNewGroup: false,
      hashKey: undefined,
      environment: {},
      signal: ending.signal,
    },
    console: {
      info(text) {
        lines.push(text);
        if (text.startsWith('scoring ')) ending.abort();
      },
      warn: (text) => lines.push(`warning: ${text}`),
      debug: () => undefined,
    },
    serving(how) {
      graceMs = how.graceMs;
    },
    open: async () => log,
  });
  expect(lines.slice(-3)).toEqual([
    'shutting down: transactions in flight are committed',
    'warning: not everything was closed within 27 s: the next start continues after the last committed transaction',
    'ended',
  ]);
  expect(vi.mocked(delay).mock.calls.map(([ms]) => ms)).toEqual([27_000]);
  expect(graceMs).toBeGreaterThan(27_000);
});

import { afterEach, describe, expect, it, vi } from 'vitest';
import { clientFactory } from '../../../src/stream/kafka/client.ts';
import { missingTopic } from '../../../src/stream/kafka/failure.ts';
import { openKafka } from '../../../src/stream/kafka/open.ts';
import { protocolError } from '../../../src/stream/kafka/protocol-error.ts';
import { whileUnknown } from '../../../src/stream/kafka/while-unknown.ts';
import { type FakeBroker, fakeBroker } from './fake-broker.ts';
import { settingsOf } from './fixture.ts';

const UNKNOWN = 'UNKNOWN_TOPIC_OR_PARTITION';

describe('a topic that a broker does not know for a while', () => {
  let broker: FakeBroker | undefined;
  afterEach(() => broker?.close());

  it('is described again, and one that never was is not waited for', async () => {
    let unknown = 0;
    let asked = 0;
    broker = await fakeBroker({
      knows(topic) {
        if (topic === 'absent') asked += 1;
        return topic === 't' && unknown-- <= 0;
      },
    });
    const log = await openKafka(settingsOf([broker.address]));
    expect(await log.describe('t')).toMatchObject({ partitions: [{ partition: 0 }] });
    // Of the answers that a description is made of, one says that it is unknown, then three.
    for (const answers of [1, 3]) {
      unknown = answers;
      expect(await log.describe('t')).toMatchObject({ partitions: [{ partition: 0 }] });
      unknown = answers;
      expect(await log.offsetAt('t', 0, 5)).toBe(0);
    }
    unknown = 0;
    expect(await log.describe('absent')).toBeUndefined();
    expect(asked).toBe(1);
    await log.close();
  });

  it('is known to a new connection, too, which so leaves it to who asks', async () => {
    let knows = true;
    broker = await fakeBroker({ knows: () => knows });
    const create = await clientFactory(settingsOf([broker.address]));
    const [first, second] = [create(), create()];
    await Promise.all([first.connect(), second.connect()]);
    await first.topic('t');
    knows = false;
    await expect(second.topic('t')).rejects.toMatchObject({ name: 'KafkaJSProtocolError', type: UNKNOWN });
    await Promise.all([first.close(), second.close()]);
  });
});

describe('asking again', () => {
  afterEach(() => vi.useRealTimers());
  const client = { closed: new AbortController().signal, refresh: async () => undefined };

  it('ends with the error after a while', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    let asked = 0;
    const begun = performance.now();
    const asking = whileUnknown(client, () => {
      asked += 1;
      return Promise.reject(protocolError(UNKNOWN));
    });
    const ended = expect(asking).rejects.toMatchObject({ type: UNKNOWN });
    await vi.advanceTimersByTimeAsync(60_000);
    await ended;
    expect(asked).toBe(32);
    expect(performance.now() - begun).toBe(60_000);
  });

  it.each([
    ['other errors', protocolError('TOPIC_AUTHORIZATION_FAILED')],
    ['a topic that never was', missingTopic('t', protocolError(UNKNOWN))],
  ])('does not happen for %s', async (_, error) => {
    let asked = 0;
    const asking = whileUnknown(client, () => {
      asked += 1;
      return Promise.reject(error);
    });
    await expect(asking).rejects.toBe(error);
    expect(asked).toBe(1);
  });

  it('ends when the client is closed', async () => {
    const closing = new AbortController();
    const asking = whileUnknown({ ...client, closed: closing.signal }, () => Promise.reject(protocolError(UNKNOWN)));
    closing.abort();
    await expect(asking).rejects.toMatchObject({ type: UNKNOWN });
  });
});

import { randomUUID } from 'node:crypto';
import { describe, expect, inject, it } from 'vitest';
import { type Client, clientFactory } from '../../../src/stream/kafka/client.ts';
import { openProducer } from '../../../src/stream/kafka/producer.ts';
import type { Broker } from '../../../src/stream/kafka/wire.ts';
import { makeTopic, readAll, recordsTo, settingsOf, withLog } from './fixture.ts';

const brokers = inject('kafka') ?? [];
const settings = settingsOf(brokers);

const lost = () => Object.assign(new Error('the answer was lost'), { name: 'KafkaJSConnectionClosedError' });

/** Kafka does what is asked, and the first answer never arrives. */
function losing(client: Client, request: 'endTxn' | 'txnOffsetCommit' | 'produce'): Client {
  let isLost = false;
  const lose = async <T>(answer: Promise<T>): Promise<T> => {
    const found = await answer;
    if (isLost) return found;
    isLost = true;
    throw lost();
  };
  const lossy = (broker: Broker): Broker =>
    new Proxy(broker, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          const answer: unknown = value.apply(target, args);
          return name === request ? lose(answer as Promise<unknown>) : answer;
        };
      },
    });
  return {
    ...client,
    send: (broker, own) => (request === 'produce' ? lose(client.send(broker, own)) : client.send(broker, own)),
    coordinated: (of, id, deadline, ask) => client.coordinated(of, id, deadline, (broker) => ask(lossy(broker))),
  };
}

async function withClient(work: (client: Client) => Promise<void>): Promise<void> {
  const client = (await clientFactory(settings))();
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.close();
  }
}

// Without Java there is no Kafka.
describe.runIf(brokers.length > 0)('a lost answer', () => {
  it.each(['endTxn', 'txnOffsetCommit'] as const)(
    'to %s is asked for again, and the producer must be opened again before the next transaction',
    (request) =>
      withClient(async (client) => {
        const topic = await makeTopic(brokers);
        const of = { group: randomUUID(), topic, partition: 0 };
        const id = `${of.group}-${topic}-0`;
        const producer = await openProducer(losing(client, request), id, of, 'none');
        await producer.commit({ records: recordsTo(topic, ['a']), offset: 1, metadata: '1' });
        const next = { records: recordsTo(topic, ['b']), offset: 2, metadata: '2' };
        await expect(producer.commit(next)).rejects.toMatchObject({ name: 'TransactionError' });
        const opened = await openProducer(client, id, of, 'none');
        expect(await opened.committed()).toEqual({ offset: 1, metadata: '1' });
        await opened.commit(next);
        await opened.commit({ records: recordsTo(topic, ['c']), offset: 3, metadata: '3' });
        await withLog(settings, async (log) => expect(await readAll(log, topic, 3)).toEqual(['a', 'b', 'c']));
      }),
  );

  it('to records of which one is too large leaves no producer that could write under the same numbers', () =>
    withClient(async (client) => {
      const topic = await makeTopic(brokers, { partitions: 2, config: { 'max.message.bytes': '5000' } });
      const of = { group: randomUUID(), topic, partition: 0 };
      const producer = await openProducer(losing(client, 'produce'), of.group, of, 'none');
      const records = [...recordsTo(topic, ['lost'], 0), ...recordsTo(topic, ['x'.repeat(9_000)], 1)];
      await expect(producer.commit({ records, offset: 1, metadata: '' })).rejects.toMatchObject({ name: 'TransactionError' });
      const opened = await openProducer(client, of.group, of, 'none');
      expect(await opened.committed()).toBeUndefined();
      await expect(opened.commit({ records, offset: 1, metadata: '' })).rejects.toMatchObject({ name: 'TooLargeError' });
      await opened.commit({ records: recordsTo(topic, ['kept'], 0), offset: 1, metadata: '' });
      await withLog(settings, async (log) => expect(await readAll(log, topic, 1, 2)).toEqual(['kept']));
    }));
});

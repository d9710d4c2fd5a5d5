import { expect, it } from 'vitest';
import type { Client } from '../../../src/stream/kafka/client.ts';
import { openProducer } from '../../../src/stream/kafka/producer.ts';
import type { Broker } from '../../../src/stream/kafka/wire.ts';

/** Of a cluster whose coordinators answer each transaction with that error. */
function answering(type: string): Client {
  const broker = {
    initProducerId: async () => ({ producerId: '1', producerEpoch: 0 }),
    addOffsetsToTxn: () => Promise.reject(Object.assign(new Error(type), { name: 'KafkaJSProtocolError', type })),
  } as Partial<Broker> as Broker;
  const client: Partial<Client> = { coordinated: (_of, _id, _deadline, ask) => ask(broker) };
  return client as Client;
}

it.each([
  ['INVALID_PRODUCER_EPOCH', 'FencedError'],
  ['PRODUCER_FENCED', 'FencedError'],
  // Of an id that was not used for a week.
  ['INVALID_PRODUCER_ID_MAPPING', 'TransactionError'],
  ['UNKNOWN_PRODUCER_ID', 'TransactionError'],
])('takes %s for a %s', async (type, name) => {
  const producer = await openProducer(answering(type), 'g-in-0', { group: 'g', topic: 'in', partition: 0 }, 'none');
  await expect(producer.commit({ records: [], offset: 1, metadata: '' })).rejects.toMatchObject({ name });
});

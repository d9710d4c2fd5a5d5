import { expect, it } from 'vitest';
import type { Client } from '../../../src/stream/kafka/client.ts';
import { readPartitions } from '../../../src/stream/kafka/read-partitions.ts';
import type { Broker, TopicMetadata } from '../../../src/stream/kafka/wire.ts';
import { writeBatch } from '../../../src/stream/kafka/write-records.ts';

const MIB = 1 << 20;
const PARTITIONS = 40;

/** Of a broker that leads all partitions. Each fetch finds one batch per partition, of little that becomes 2 MiB. */
function endless(fetched: () => void): Client {
  const topic: TopicMetadata = {
    ...{ topicErrorCode: 0, topic: 't', topicId: '00'.repeat(16) },
    partitionMetadata: Array.from({ length: PARTITIONS }, (_, partitionId) => ({ partitionId, leader: 1, replicas: [1] })),
  };
  const records = [{ key: null, value: Buffer.alloc(2 * MIB), headers: [] }];
  const batch = writeBatch(records, { producerId: 1n, producerEpoch: 0, sequence: 0 }, 0, 'gzip');
  let offset = 0n;
  const client: Partial<Client> = {
    topic: async () => topic,
    refresh: async () => undefined,
    broker: async () => ({}) as Broker,
    async send(_, { decode }) {
      await new Promise(setImmediate);
      fetched();
      batch.writeBigInt64BE(offset++);
      return decode(answer(batch));
    },
    close: async () => undefined,
  };
  return client as Client;
}

/** Of Fetch, version 13. */
function answer(batch: Buffer): Buffer {
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => {
    const head = Buffer.alloc(4 + 2 + 8 + 16);
    head.writeInt32BE(partition);
    const length = Buffer.from([
      ((batch.length + 1) & 0x7f) | 0x80,
      ((batch.length + 1) >> 7) | 0x80,
      (batch.length + 1) >> 14,
    ]);
    return Buffer.concat([head, Buffer.from([0]), Buffer.alloc(4), length, batch, Buffer.from([0])]);
  });
  return Buffer.concat([
    Buffer.alloc(1 + 4 + 2 + 4),
    Buffer.from([2]),
    Buffer.alloc(16),
    Buffer.from([PARTITIONS + 1]),
    ...partitions,
  ]);
}

it('reads ahead as far as memory goes, and no further', async () => {
  let fetches = 0;
  let batches = 0;
  const ending = new AbortController();
  const from = new Map(Array.from({ length: PARTITIONS }, (_, partition) => [partition, 0]));
  await readPartitions(
    endless(() => void fetches++),
    {
      topic: 't',
      from,
      async batch() {
        batches += 1;
        // Time for all that is fetched ahead.
        for (let i = 0; batches === 1 && i < 300; i += 1) await new Promise(setImmediate);
        if (batches === 100) ending.abort();
        // 64 MiB, and what one answer has.
        expect((fetches * PARTITIONS - batches) * 2 * MIB).toBeLessThanOrEqual(64 * MIB + PARTITIONS * 2 * MIB);
      },
      signal: ending.signal,
    },
  );
  expect([batches, fetches > 1]).toEqual([100, true]);
});

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Kafka, logLevel, type Transaction } from 'kafkajs';
import { describe, expect, inject, it } from 'vitest';
import { readCommitted } from '../../kafka/java-client.ts';
import { makeTopic, producerOf, readAll, recordsTo, settingsOf, withLog, write } from './fixture.ts';

const brokers = inject('kafka') ?? [];
const settings = settingsOf(brokers);

/** Another client's transaction, so that it can be left open. */
async function otherTransaction(transactionalId: string): Promise<Transaction> {
  const producer = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).producer({
    transactionalId,
    maxInFlightRequests: 1,
    idempotent: true,
    createPartitioner: () => () => 0,
  });
  await producer.connect();
  return producer.transaction();
}

const LEAVE_OPEN = `
const { Kafka, logLevel } = require('kafkajs');
const [brokers, transactionalId, topic, group] = process.argv.slice(1);
const producer = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING })
  .producer({ transactionalId, maxInFlightRequests: 1, idempotent: true, transactionTimeout: 600000 });
(async () => {
  await producer.connect();
  const transaction = await producer.transaction();
  await transaction.send({ topic, messages: [{ value: 'never' }] });
  await transaction.sendOffsets({ consumerGroupId: group, topics: [{ topic, partitions: [{ partition: 0, offset: '99' }] }] });
  console.log('open');
  setInterval(() => {}, 1000);
})();
`;

// Without Java there is no Kafka.
describe.runIf(brokers.length > 0)('transactions', () => {
  it('fence an earlier producer of the same partition', () =>
    withLog(settings, async (log) => {
      const topic = await makeTopic(brokers);
      const group = randomUUID();
      const zombie = await producerOf(log, topic, 0, group);
      await zombie.commit({ records: recordsTo(topic, ['a']), offset: 1, metadata: '1' });
      const next = await producerOf(log, topic, 0, group);
      const late = { records: recordsTo(topic, ['zombie']), offset: 5, metadata: '5' };
      await expect(zombie.commit(late)).rejects.toMatchObject({ name: 'FencedError' });
      await expect(zombie.commit(late)).rejects.toMatchObject({ name: 'TransactionError' });
      expect(await next.committed()).toEqual({ offset: 1, metadata: '1' });
      await next.commit({ records: recordsTo(topic, ['b']), offset: 2, metadata: '2' });
      expect(await readAll(log, topic, 2)).toEqual(['a', 'b']);
    }));

  it('settle what a killed process left open', () =>
    withLog(settings, async (log) => {
      const topic = await makeTopic(brokers);
      const group = randomUUID();
      const args = ['-e', LEAVE_OPEN, brokers.join(','), `${group}-${topic}-0`, topic, group];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(child.stdout, 'data');
      child.kill('SIGKILL');
      await once(child, 'exit');
      const producer = await producerOf(log, topic, 0, group);
      expect(await producer.committed()).toBeUndefined();
      await producer.commit({ records: recordsTo(topic, ['after']), offset: 1, metadata: '' });
      expect(await readAll(log, topic, 1)).toEqual(['after']);
    }));

  it("keep records invisible until they are committed, and aborted ones always, as Java's consumer sees it", () =>
    withLog(settings, async (log) => {
      const topic = await makeTopic(brokers);
      // Many overlap, and end in another order than they began: half are aborted.
      const opened: Transaction[] = [];
      for (let i = 0; i < 12; i++) {
        const transaction = await otherTransaction(randomUUID());
        opened.push(transaction);
        for (const earlier of opened)
          await earlier.send({ topic, messages: [{ key: 'k', value: `${i % 2 ? 'lost' : 'kept'} ${i}` }] });
      }
      const isKept = (i: number) => i % 3 > 0;
      for (const i of [7, 2, 11, 0, 5, 10, 3, 8, 1, 6, 9]) {
        await (isKept(i) ? opened[i]?.commit() : opened[i]?.abort());
      }
      let read: string[] = [];
      const end = new AbortController();
      const done = log.read(
        topic,
        new Map([[0, 0]]),
        async ({ records }) => {
          read = [...read, ...records.map(({ value }) => String(value))];
          if (read.includes('last')) end.abort();
        },
        end.signal,
      );
      await opened[4]?.commit();
      await write(log, topic, [['last']], 0);
      await done;
      const java = await readCommitted(brokers, topic, { count: read.length });
      expect(read).toEqual(java.map(({ value }) => value));
      expect(read.length).toBe(1 + opened.reduce((sum, _, i) => sum + (isKept(i) ? opened.length - i : 0), 0));
      // From each offset in the middle, too: what was aborted before it must not hide what follows.
      for (const from of [5, 40, 70, 80]) {
        const expected = java.filter(({ offset }) => offset >= from).map(({ value }) => value);
        const found: string[] = [];
        const stop = new AbortController();
        await log.read(
          topic,
          new Map([[0, from]]),
          async ({ records }) => {
            found.push(...records.map(({ value }) => String(value)));
            if (found.includes('last')) stop.abort();
          },
          stop.signal,
        );
        expect(found).toEqual(expected);
      }
    }));
});

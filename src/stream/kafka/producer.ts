import { ScoreBatchError } from '../../errors.ts';
import { FencedError, type PartitionProducer, TooLargeError, type Transaction, TransactionError } from '../log.ts';
import type { Client } from './client.ts';
import type { Compression } from './codec.ts';
import { type CommittedOf, readCommitted } from './committed.ts';
import { isPassing, isUnknownTopic, missingTopic, typeOf, userError } from './failure.ts';
import { type PartitionRecords, partitionRecords } from './produce.ts';
import { sleep } from './retry.ts';
import { sendBatches, type Writer } from './send-batches.ts';
import type { Broker } from './wire.ts';

/** Kafka aborts a transaction after this time; readers of the outputs wait at most this long for an open one. */
const TRANSACTION_MS = 30_000;
/** How long a commit is retried: less than the above. */
const COMMIT_MS = 20_000;
const OPEN_MS = 30_000;
const UNKNOWN_TOPIC_MS = 10_000;
const PAUSE_MS = 100;

const UNKNOWN_TOPIC = 3;
const NO_COORDINATOR = 'GROUP_COORDINATOR_NOT_AVAILABLE';
/** Not the errors that Kafka does not know the writer: it forgets an id that was not used for a week. */
const FENCED = ['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED'];
/** A code that kafkajs does not know. */
const FENCED_MESSAGE = /error code 90\b/;

/**
 * @throws ScoreBatchError `unavailable` if Kafka cannot be reached, `permission`, or `configuration` if it does not support
 * transactions
 */
export async function openProducer(
  client: Client,
  transactionalId: string,
  of: CommittedOf,
  compression: Compression,
): Promise<PartitionProducer> {
  const { producerId, producerEpoch } = await initialize(client, transactionalId);
  const writer: Writer = { transactionalId, producerId: BigInt(producerId), producerEpoch, sequences: new Map() };
  return createProducer(client, writer, of, compression);
}

/** Fences earlier producers of the id. Succeeds once their open transactions are settled. */
async function initialize(client: Client, transactionalId: string) {
  try {
    return await client.coordinated('transaction', transactionalId, performance.now() + OPEN_MS, (broker) =>
      broker.initProducerId({ transactionalId, transactionTimeout: TRANSACTION_MS }),
    );
  } catch (error) {
    if (typeOf(error) === NO_COORDINATOR && !(await hasTransactions(client))) {
      throw new ScoreBatchError('configuration', 'Kafka cannot run transactions', {
        hint: 'lower transaction.state.log.replication.factor to the number of brokers: Kafka cannot create the topic __transaction_state',
        cause: error,
      });
    }
    throw userError(error, 'opening a transactional producer');
  }
}

/** Whether transactions ever ran: Kafka creates their topic for the first one. */
async function hasTransactions(client: Client): Promise<boolean> {
  const { topicMetadata } = await (await client.anyBroker()).metadata(['__transaction_state']);
  return topicMetadata[0]?.topicErrorCode !== UNKNOWN_TOPIC;
}

function createProducer(client: Client, writer: Writer, of: CommittedOf, compression: Compression): PartitionProducer {
  const { transactionalId, producerEpoch } = writer;
  const producerId = `${writer.producerId}`;
  let unusable = false;
  // A request without an answer may still arrive and count towards the next transaction: Kafka distinguishes transactions only
  // by epoch.
  let unanswered = false;
  let last: Promise<unknown> = Promise.resolve();

  const noticing = async <T>(request: Promise<T>): Promise<T> => {
    try {
      return await request;
    } catch (error) {
      unanswered ||= typeOf(error) === undefined;
      throw error;
    }
  };

  const ask = <T>(deadline: number, request: (broker: Broker) => Promise<T>) =>
    client.coordinated('transaction', transactionalId, deadline, (broker) => noticing(request(broker)));

  const begin = (records: readonly PartitionRecords[], deadline: number) => {
    const topics = [...new Set(records.map(({ topic }) => topic))].map((topic) => ({
      topic,
      partitions: records.filter((one) => one.topic === topic).map(({ partition }) => partition),
    }));
    return ask(deadline, async (broker) => {
      const names = { transactionalId, producerId, producerEpoch };
      // Both use one connection, so the second is answered after the first.
      await Promise.all([
        topics.length > 0 && addTopics(broker, names, topics),
        broker.addOffsetsToTxn({ ...names, groupId: of.group }),
      ]);
    });
  };

  /** A broker that just started may not know its topics yet. */
  const whileKnown = async <T>(attempt: () => Promise<T>, { records }: Transaction): Promise<T> => {
    for (const last = performance.now() + UNKNOWN_TOPIC_MS; ; ) {
      try {
        return await attempt();
      } catch (error) {
        if (!isUnknownTopic(error)) throw error;
        await sleep(PAUSE_MS);
        await client.refresh();
        if (performance.now() < last) continue;
        for (const topic of new Set([of.topic, ...records.map((record) => record.topic)])) {
          const found = await client.topic(topic).catch((thrown: unknown) => ({ thrown }));
          if ('thrown' in found && isUnknownTopic(found.thrown)) throw missingTopic(topic, error);
        }
        throw error;
      }
    }
  };

  const addOffset = ({ offset, metadata }: Transaction, deadline: number) =>
    client.coordinated('group', of.group, deadline, (broker) =>
      noticing(
        broker.txnOffsetCommit({
          transactionalId,
          producerId,
          producerEpoch,
          groupId: of.group,
          topics: [{ topic: of.topic, partitions: [{ partition: of.partition, offset: `${offset}`, metadata }] }],
        }),
      ),
    );

  /** Retried if the answer is lost: repeating it has no further effect. */
  const end = (transactionResult: boolean, deadline: number) =>
    ask(deadline, (broker) => broker.endTxn({ transactionalId, producerId, producerEpoch, transactionResult }));

  const commit = async (transaction: Transaction): Promise<void> => {
    if (unusable) throw new TransactionError('this producer failed before: open it again');
    if (unanswered) {
      unusable = true;
      throw new TransactionError('an answer to the previous transaction was lost: open the producer again');
    }
    const started = performance.now();
    const deadline = started + COMMIT_MS;
    try {
      const records = await whileKnown(() => partitionRecords(client, transaction.records), transaction);
      await whileKnown(() => begin(records, deadline), transaction);
      // Wait for both: what arrives after an abort would belong to the next transaction.
      const parts = await Promise.allSettled([
        sendBatches(client, writer, records, compression, deadline),
        whileKnown(() => addOffset(transaction, deadline), transaction),
      ]);
      for (const part of parts) if (part.status === 'rejected') throw part.reason;
      await end(true, deadline);
    } catch (error) {
      if (error instanceof TooLargeError && !unanswered && (await aborted()) && !unanswered) throw error;
      unusable = true;
      throw failureOf(error, transactionalId, performance.now() - started);
    }
  };

  const aborted = async () => {
    try {
      await end(false, performance.now() + COMMIT_MS);
      return true;
    } catch {
      return false;
    }
  };

  return {
    committed: () => readCommitted(client, of, performance.now() + OPEN_MS),
    commit(transaction) {
      const done = last.then(() => commit(transaction));
      last = done.catch(() => undefined);
      return done;
    },
    async close() {
      unusable = true;
      await last;
    },
  };
}

type Added = Parameters<Broker['addPartitionsToTxn']>[0];

/** Adds topics to the transaction. Kafka adds all or none, and reports "not attempted" for all but the one at fault. */
async function addTopics(broker: Broker, names: Omit<Added, 'topics'>, topics: Added['topics']): Promise<void> {
  try {
    await broker.addPartitionsToTxn({ ...names, topics });
  } catch (error) {
    if (typeOf(error) !== 'OPERATION_NOT_ATTEMPTED') throw error;
    // kafkajs throws the first error of an answer. Sent alone, each topic gets its own.
    for (const topic of topics) await broker.addPartitionsToTxn({ ...names, topics: [topic] });
  }
}

function failureOf(error: unknown, transactionalId: string, took: number): unknown {
  if (error instanceof ScoreBatchError || error instanceof TransactionError) return error;
  const type = typeOf(error) ?? '';
  const message = error instanceof Error ? error.message : String(error);
  if (FENCED.includes(type) || FENCED_MESSAGE.test(message)) {
    // Kafka aborts a timed-out transaction by fencing its writer.
    if (took >= TRANSACTION_MS) {
      return new TransactionError(`a transaction of ${transactionalId} took more than ${TRANSACTION_MS / 1000} s`, {
        cause: error,
      });
    }
    return new FencedError(`another process writes with the transactional id ${transactionalId}`, { cause: error });
  }
  const told = userError(error, 'writing a transaction');
  if (told instanceof ScoreBatchError && (told.kind === 'permission' || told.kind === 'configuration')) return told;
  // Other protocol errors, and brokers that are away: reopening the producer shows the transaction's outcome.
  if (error instanceof TooLargeError || type !== '' || isPassing(error) || isKafkaError(error)) {
    return new TransactionError(`a transaction of ${transactionalId} failed: ${message}`, { cause: error });
  }
  return error;
}

function isKafkaError(error: unknown): boolean {
  return error instanceof Error && error.name.startsWith('KafkaJS');
}

import type { Log } from '../log.ts';
import type { KafkaSettings } from '../settings.ts';
import { type Client, clientFactory, type KafkaLog } from './client.ts';
import { isMissingTopic, userError } from './failure.ts';
import { openProducer } from './producer.ts';
import { readPartitions } from './read-partitions.ts';
import { retry } from './retry.ts';
import { subscribe } from './subscribe.ts';
import { topicFacts } from './topic-facts.ts';
import { whileUnknown } from './while-unknown.ts';

/** How long brokers may be away during a single request. */
const ASK_MS = 15_000;
const CONNECT_MS = 5_000;
/** Connections that the producers share: a broker answers the requests of each in turn, after waiting for replicas. */
const PRODUCER_CLIENTS = 8;
const END = -1;

/**
 * Connects to Kafka without reading or writing anything.
 *
 * @param log receives the client's own messages, which hold no keys or values; they are dropped without it
 * @throws ScoreBatchError `unavailable` if no broker answers, `permission` if it refuses the user or this client's certificate,
 * `configuration` if the client's package is missing or a broker's certificate is not trusted
 */
export async function openKafka(settings: KafkaSettings, log?: KafkaLog): Promise<Log> {
  const create = await clientFactory(settings, log);
  const asking = create();
  const clients = new Set([asking]);
  const connected = async (): Promise<Client> => {
    const client = create();
    clients.add(client);
    try {
      await client.connect();
    } catch (error) {
      clients.delete(client);
      await client.close().catch(() => undefined);
      throw error;
    }
    return client;
  };
  const ask = async <T>(doing: string, question: () => Promise<T>, ms = ASK_MS): Promise<T> => {
    try {
      return await retry(question, { deadline: performance.now() + ms, again: () => asking.refresh() });
    } catch (error) {
      throw userError(error, doing);
    }
  };
  const writing: Promise<Client>[] = [];
  const writer = (partition: number): Promise<Client> => {
    const slot = partition % PRODUCER_CLIENTS;
    const client = writing[slot] ?? ask('connecting', connected);
    writing[slot] = client;
    client.catch(() => delete writing[slot]);
    return client;
  };

  await ask('connecting', () => asking.connect(), CONNECT_MS).catch(async (error) => {
    await asking.close().catch(() => undefined);
    throw error;
  });
  return {
    describe: (topic) =>
      ask(`describing ${topic}`, () =>
        whileUnknown(asking, () => topicFacts(asking, topic)).catch((error: unknown) => {
          if (isMissingTopic(error)) return undefined;
          throw error;
        }),
      ),
    brokers: () => ask('counting brokers', async () => (await (await asking.anyBroker()).metadata([])).brokers.length),
    offsetAt: (topic, partition, timestamp) =>
      ask(`looking up a time in ${topic}`, () =>
        whileUnknown(asking, async () => {
          await asking.partitions(topic);
          const found = (await asking.offsets(topic, [partition], timestamp)).get(partition) ?? -1;
          return found >= 0 ? found : ((await asking.offsets(topic, [partition], END)).get(partition) ?? 0);
        }),
      ),
    subscribe: async (topic, group, member, owner = []) =>
      subscribe(await ask('connecting', connected), { topic, group, owner }, member),
    openProducer: async (transactionalId, of) =>
      openProducer(await writer(of.partition), transactionalId, of, settings.compression ?? 'none'),
    read: async (topic, from, batch, signal) =>
      readPartitions(await ask('connecting', connected), { topic, from, batch, signal }),
    async close() {
      await Promise.all([...clients].map((client) => client.close().catch(() => undefined)));
    },
  };
}

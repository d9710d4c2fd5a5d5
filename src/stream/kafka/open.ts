import type { Log, LogBatch } from '../log.ts';
import type { KafkaSettings } from '../settings.ts';
import { type Client, clientFactory, type KafkaLog } from './client.ts';
import { userError } from './failure.ts';
import { openProducer } from './producer.ts';
import { createReader } from './reader.ts';
import { retry } from './retry.ts';
import { subscribe } from './subscribe.ts';
import { topicFacts } from './topic-facts.ts';

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
    describe: (topic) => ask(`describing ${topic}`, () => topicFacts(asking, topic)),
    offsetAt: (topic, partition, timestamp) =>
      ask(`looking for a time in ${topic}`, async () => {
        await asking.partitions(topic);
        const found = (await asking.offsets(topic, [partition], timestamp)).get(partition) ?? -1;
        return found >= 0 ? found : ((await asking.offsets(topic, [partition], END)).get(partition) ?? 0);
      }),
    subscribe: async (topic, group, member) => subscribe(await ask('connecting', connected), topic, group, member),
    openProducer: async (transactionalId, of) =>
      openProducer(await writer(of.partition), transactionalId, of, settings.compression ?? 'none'),
    read: async (topic, from, batch, signal) => read(await ask('connecting', connected), { topic, from, batch, signal }),
    async close() {
      await Promise.all([...clients].map((client) => client.close().catch(() => undefined)));
    },
  };
}

interface Reading {
  readonly topic: string;
  readonly from: ReadonlyMap<number, number>;
  readonly batch: (batch: LogBatch) => Promise<void>;
  readonly signal: AbortSignal;
}

async function read(client: Client, { topic, from, batch, signal }: Reading): Promise<void> {
  const waiting: LogBatch[] = [];
  let wake = () => {};
  let failure: { readonly error: unknown } | undefined;
  const reader = createReader({
    client,
    topic,
    wants: () => waiting.length < from.size + 1,
    deliver(read) {
      waiting.push(read);
      wake();
    },
    fail(error) {
      failure = { error };
      wake();
    },
  });
  const abort = () => wake();
  signal.addEventListener('abort', abort);
  for (const [partition, offset] of from) reader.seek(partition, offset);
  try {
    while (!signal.aborted) {
      const next = waiting.shift();
      if (next !== undefined) {
        reader.wake();
        await batch(next);
        continue;
      }
      if (failure !== undefined) throw failure.error;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    signal.removeEventListener('abort', abort);
    reader.close();
    await client.close();
  }
}

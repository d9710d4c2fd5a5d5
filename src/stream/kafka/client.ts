import type { LogEntry } from 'kafkajs';
import { readBounded } from '../../bounded-file.ts';
import type { KafkaSettings } from '../settings.ts';
import { isMisdirected, missingTopic, noLeader } from './failure.ts';
import { requestMetadata } from './metadata.ts';
import { type KafkaPackages, loadKafka } from './packages.ts';
import { protocolError } from './protocol-error.ts';
import { retry, sleep } from './retry.ts';
import type { Broker, Cluster, Encoder, OwnRequest, PartitionMetadata, TopicMetadata } from './wire.ts';

const CONNECT_MS = 5_000;
const REQUEST_MS = 15_000;
const METADATA_MS = 60_000;
/** How long to wait for outstanding answers. */
const CLOSE_MS = 3_000;
/** How long it takes all brokers to know a topic that was just created. */
const NEW_TOPIC_MS = 2_000;
const PEM_LIMIT = 1 << 20;
const READ_COMMITTED = 1;
const UNKNOWN_TOPIC = 3;
/** kafkajs says so although there is no other. */
const ANOTHER_BROKER = /^Failed to connect to seed broker, trying another broker from the list: /;

/** Messages of kafkajs, without their fields: no keys, no values. */
export type KafkaLog = (level: 'error' | 'warning', message: string) => void;

type CoordinatorOf = 'group' | 'transaction';

/** One set of connections: at most two per broker, one of them for fetches. A broker answers the requests of a connection in turn. */
export interface Client {
  encoder(size?: number): Encoder;
  connect(): Promise<void>;
  close(): Promise<void>;
  broker(nodeId: number): Promise<Broker>;
  anyBroker(): Promise<Broker>;
  send<T>(broker: Broker, own: Pick<OwnRequest<T>, 'request'> & { decode: (raw: Buffer) => T }): Promise<T>;
  /** Topics that a broker has named to any client of the factory. If another broker does not know them, that may pass. */
  readonly known: Set<string>;
  readonly closed: AbortSignal;
  /** @throws ScoreBatchError `configuration` if there is no such topic; the protocol's error if it existed before */
  topic(name: string): Promise<TopicMetadata>;
  partitions(topic: string): Promise<readonly PartitionMetadata[]>;
  refresh(): Promise<void>;
  /**
   * The first offset whose record has this timestamp or a later one, or -1 if there is none. Timestamp -2 asks for the first
   * offset, -1 for the end.
   */
  offsets(topic: string, partitions: readonly number[], timestamp: number): Promise<ReadonlyMap<number, number>>;
  /** Asks the coordinator; after a failure looks for it again, until the deadline. */
  coordinated<T>(of: CoordinatorOf, id: string, deadline: number, ask: (broker: Broker) => Promise<T>): Promise<T>;
}

export type ClientFactory = () => Client;

/** @throws ScoreBatchError `configuration` if kafkajs or a PEM file is missing */
export async function clientFactory(settings: KafkaSettings, log?: KafkaLog): Promise<ClientFactory> {
  const packages = loadKafka();
  const ssl = await tlsOptions(settings.tls);
  const known = new Set<string>();
  return () => createClient({ packages, settings, ssl, log, known });
}

interface ClientOptions {
  readonly packages: KafkaPackages;
  readonly settings: KafkaSettings;
  readonly ssl: object | undefined;
  readonly log: KafkaLog | undefined;
  readonly known: Set<string>;
}

function createClient({ packages, settings, ssl, log, known }: ClientOptions): Client {
  const tell = tellTo(log, settings.brokers.length);
  const cluster: Cluster = new packages.Cluster({
    logger: packages.createLogger({ level: log === undefined ? 0 : 2, logCreator: () => tell }),
    socketFactory: packages.socketFactory,
    brokers: settings.brokers,
    ssl,
    sasl: settings.sasl,
    clientId: settings.clientId,
    connectionTimeout: CONNECT_MS,
    authenticationTimeout: CONNECT_MS,
    requestTimeout: REQUEST_MS,
    metadataMaxAge: METADATA_MS,
    // We retry ourselves: kafkajs would wait 300 ms where Kafka answers within a few.
    retry: {
      retries: Math.max(2, settings.brokers.length),
      initialRetryTime: 20,
      maxRetryTime: 200,
      factor: 0.2,
      multiplier: 2,
    },
    allowAutoTopicCreation: false,
    isolationLevel: READ_COMMITTED,
  });
  const { createBroker } = cluster.brokerPool;
  cluster.brokerPool.createBroker = (options) => {
    const broker = createBroker(options);
    return Object.assign(broker, {
      metadata: (topics: readonly string[]) => requestMetadata(broker, topics, new packages.Encoder()),
    });
  };
  const closed = new AbortController();
  const coordinators = new Map<string, Broker>();

  const find = async (of: CoordinatorOf, id: string) => {
    closed.signal.throwIfAborted();
    const key = `${of} ${id}`;
    const found = coordinators.get(key);
    if (found?.isConnected()) return found;
    // kafkajs's own lookup drops errors, such as a missing permission.
    const asked = await cluster.brokerPool.findConnectedBroker();
    const { coordinator } = await asked.findGroupCoordinator({ groupId: id, coordinatorType: of === 'group' ? 0 : 1 });
    const broker = await cluster.findBroker({ nodeId: coordinator.nodeId });
    coordinators.set(key, broker);
    return broker;
  };

  const shownNow = (name: string) => cluster.brokerPool.metadata?.topicMetadata.find((one) => one.topic === name);

  const topic = async (name: string) => {
    if (shownNow(name) === undefined) await cluster.addMultipleTargetTopics([name]);
    for (const deadline = performance.now() + NEW_TOPIC_MS; ; ) {
      const found = shownNow(name);
      const code = found?.topicErrorCode ?? UNKNOWN_TOPIC;
      if (found !== undefined && code === 0) {
        known.add(name);
        return found;
      }
      const error = protocolError(code);
      if (code !== UNKNOWN_TOPIC) throw error;
      if (performance.now() > deadline || closed.signal.aborted) throw known.has(name) ? error : missingTopic(name, error);
      await sleep(100, closed.signal);
      await cluster.refreshMetadata();
    }
  };

  return {
    encoder: (size) => new packages.Encoder(size),
    connect: () => cluster.connect(),
    async close() {
      closed.abort();
      // kafkajs waits for all answers, even those that a slow group delays.
      const { brokers, seedBroker } = cluster.brokerPool;
      const opened = [seedBroker, ...Object.values(brokers)];
      const waited = new AbortController();
      await Promise.race([cluster.disconnect(), sleep(CLOSE_MS, waited.signal)]).finally(() => waited.abort());
      for (const broker of opened) {
        for (const { socket } of broker?.connectionPool.pool ?? []) socket?.destroy();
      }
    },
    async broker(nodeId) {
      // findBroker would connect again.
      closed.signal.throwIfAborted();
      return cluster.findBroker({ nodeId });
    },
    async anyBroker() {
      await cluster.refreshMetadata();
      return cluster.brokerPool.findConnectedBroker();
    },
    send: (broker, { request, decode }) =>
      broker.connectionPool.send({
        request,
        response: { decode: async (raw) => decode(raw), parse: async (decoded) => decoded },
        logResponseError: false,
      }),
    known,
    closed: closed.signal,
    topic,
    partitions: async (name) => (await topic(name)).partitionMetadata,
    refresh: () => cluster.refreshMetadata(),
    async offsets(topic, partitions, timestamp) {
      const all = await this.partitions(topic);
      for (const { partitionId, leader } of all) {
        if (leader < 0 && partitions.includes(partitionId)) throw noLeader(topic, partitionId);
      }
      const of = partitions.map((partition) => ({ partition }));
      const [found] = await cluster.fetchTopicsOffset([{ topic, partitions: of, fromTimestamp: timestamp }]);
      return new Map(found?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
    },
    coordinated: (of, id, deadline, ask) =>
      retry(async () => ask(await find(of, id)), {
        deadline,
        signal: closed.signal,
        again: (error) => {
          if (!isMisdirected(error)) return undefined;
          coordinators.delete(`${of} ${id}`);
          return cluster.refreshMetadata();
        },
      }),
  };
}

function tellTo(log: KafkaLog | undefined, brokers: number): (entry: LogEntry) => void {
  return ({ level, namespace, log: { message, broker } }) => {
    // Some messages are the errors themselves.
    const said = (message as unknown) instanceof Error ? (message as unknown as Error).message : String(message);
    // We retry or throw errors that a broker answers, and some occur at every start and every transaction.
    if (said.startsWith('Response ')) return;
    const cause = said.replace(ANOTHER_BROKER, '');
    // The connection has already said so, with the broker's name.
    if (cause !== said && /^Connection (error|timeout)/.test(cause)) return;
    const text = brokers > 1 ? said : cause;
    const of = typeof broker === 'string' && !text.includes(broker) ? `${text} (${broker})` : text;
    log?.(level <= 1 ? 'error' : 'warning', `${namespace}: ${of}`);
  };
}

async function tlsOptions(tls: KafkaSettings['tls']): Promise<object | undefined> {
  if (tls === undefined) return undefined;
  const [ca, cert, key] = await Promise.all([pem(tls.ca), pem(tls.cert), pem(tls.key)]);
  return { ...(ca && { ca: [ca] }), ...(cert && { cert }), ...(key && { key }) };
}

/** Reads a PEM file, or takes the PEM itself. */
async function pem(file: string | undefined): Promise<string | undefined> {
  if (file === undefined || file.includes('-----BEGIN')) return file;
  return (await readBounded(file, PEM_LIMIT, 'correct kafka.tls in the job file')).toString('utf8');
}

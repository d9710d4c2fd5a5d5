import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { kafkaClassPath } from './jars.ts';
import { type Certificates, type Listeners, listenerSettings } from './listeners.ts';

const run = promisify(execFile);

const START_MS = 120_000;
const LOG_LINES = 30;
const CLUSTER_ID = 'c2NvcmUtYmF0Y2gtdGVzdA';

/** Ends Java and removes its folder once stdin closes: the system closes it even when the process of the tests is killed. */
const UNTIL_STDIN_CLOSES = `
exec 3<&0
folder=$1 id=$2; shift 2
"$@" </dev/null 3<&- &
java=$!
echo $java > "$id"
(cat <&3 >/dev/null; kill -9 $java; [ -n "$folder" ] && sleep 1 && rm -rf "$folder") &
wait $java
`;

export interface ClusterOptions extends Listeners {
  /** 1 unless it is given; 3 tolerate the loss of one. */
  readonly brokers?: 1 | 3;
  /** Of topics made without a replication of their own, and of Kafka's own topics; as many as brokers unless it is given. */
  readonly replication?: number;
  readonly minInSyncReplicas?: number;
  /** Lines of `server.properties` that are added to every broker's. */
  readonly settings?: Readonly<Record<string, string>>;
}

interface TopicOptions {
  readonly partitions?: number;
  readonly replication?: number;
  readonly config?: Readonly<Record<string, string>>;
}

/** Real brokers that end with this process. */
export interface KafkaCluster {
  /** `host:port` of the plain listener of each broker. */
  readonly brokers: readonly string[];
  /** `host:port` of the listeners that were asked for. */
  readonly tls: readonly string[];
  readonly sasl: readonly string[];
  readonly saslTls: readonly string[];
  /** Undefined without `tls`. */
  readonly certificates: Certificates | undefined;
  createTopic(topic: string, options?: TopicOptions): Promise<void>;
  /** SIGKILL. @param broker from 0 */
  kill(broker: number): Promise<void>;
  /** Stops it as an operator would: it hands its partitions over. */
  terminate(broker: number): Promise<void>;
  /** On the same ports, with the same data. */
  restart(broker: number): Promise<void>;
  stop(): Promise<void>;
}

interface Server {
  readonly folder: string;
  readonly log: string;
  /** File with the process id of its Java. */
  readonly id: string;
  readonly settings: string;
  child: ChildProcess | undefined;
}

/** @throws Error in one line if Java or Maven is missing; else with the end of a broker's log */
export async function startKafka(options: ClusterOptions = {}): Promise<KafkaCluster> {
  const classPath = await kafkaClassPath();
  const count = options.brokers ?? 1;
  const folder = await mkdtemp(path.join(tmpdir(), 'score-batch-kafka-'));
  const ports = await freePorts(count * 5);
  const of = (listener: number) => Array.from({ length: count }, (_, i) => `127.0.0.1:${ports[listener * count + i]}`);
  const [plain = [], controllers = [], tls = [], sasl = [], saslTls = []] = [0, 1, 2, 3, 4].map(of);
  const voters = controllers.map((address, i) => `${i + 1}@${address}`).join(',');
  const extra = await listenerSettings(folder, options);

  const servers = await Promise.all(
    Array.from({ length: count }, async (_, i): Promise<Server> => {
      const own = path.join(folder, `${i + 1}`);
      await mkdir(own);
      const listeners = {
        PLAINTEXT: plain[i],
        CONTROLLER: controllers[i],
        ...(options.tls ? { SSL: tls[i] } : {}),
        ...(options.sasl ? { SASL_PLAINTEXT: sasl[i] } : {}),
        ...(options.sasl && options.tls ? { SASL_SSL: saslTls[i] } : {}),
      };
      const shown = Object.entries(listeners).map(([name, address]) => `${name}://${address}`);
      const settings = path.join(own, 'server.properties');
      await writeFile(
        settings,
        properties({
          ...commonSettings(options, count),
          'node.id': `${i + 1}`,
          'controller.quorum.voters': voters,
          listeners: shown.join(','),
          'advertised.listeners': shown.filter((one) => !one.startsWith('CONTROLLER')).join(','),
          'log.dirs': path.join(own, 'data'),
          ...extra.settings,
          ...options.settings,
        }),
      );
      return { folder: own, log: path.join(own, 'log'), id: path.join(own, 'java.pid'), settings, child: undefined };
    }),
  );

  const alive = { folder, classPath };
  const kafka = new Kafka({ brokers: [...plain], logLevel: logLevel.NOTHING, retry: { retries: 0 } });
  const stop = async () => {
    await Promise.all(servers.map((server) => signal(server, 'SIGKILL')));
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    await Promise.all(servers.map((server) => format(classPath, server, extra.format)));
    await Promise.all(servers.map((server) => start(alive, server)));
    await untilReady(kafka, servers, count);
  } catch (error) {
    const logs = await Promise.all(servers.map(({ log }) => readFile(log, 'utf8').catch(() => '')));
    await stop();
    const tail = logs.map((log) => log.trimEnd().split('\n').slice(-LOG_LINES).join('\n')).join('\n');
    throw new Error(`Kafka did not start\n${tail}`, { cause: error });
  }
  const server = (broker: number): Server => {
    const found = servers[broker];
    if (found === undefined) throw new RangeError(`there is no broker ${broker}`);
    return found;
  };
  return {
    brokers: plain,
    tls,
    sasl,
    saslTls,
    certificates: extra.certificates,
    createTopic: (topic, topicOptions) => createTopic(kafka, topic, topicOptions),
    kill: (broker) => signal(server(broker), 'SIGKILL'),
    terminate: (broker) => signal(server(broker), 'SIGTERM'),
    restart: async (broker) => {
      await start(alive, server(broker));
      await untilReady(kafka, servers, servers.filter(({ child }) => child !== undefined).length);
    },
    stop,
  };
}

function commonSettings(options: ClusterOptions, count: number): Record<string, string> {
  const replication = `${options.replication ?? count}`;
  const inSync = `${options.minInSyncReplicas ?? 1}`;
  return {
    'process.roles': 'broker,controller',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']
      .map((name) => `${name}:${name}`)
      .concat('CONTROLLER:PLAINTEXT')
      .join(','),
    'auto.create.topics.enable': 'false',
    'default.replication.factor': replication,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': replication,
    'offsets.topic.num.partitions': '8',
    'transaction.state.log.replication.factor': replication,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': '8',
    'share.coordinator.state.topic.replication.factor': replication,
    'share.coordinator.state.topic.min.isr': inSync,
    // A group of tests forms at once, and a transaction of a killed process ends soon.
    'group.initial.rebalance.delay.ms': '0',
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    'group.min.session.timeout.ms': '1000',
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': '1000',
    // Small, so that segments can be closed and removed in tests.
    'log.retention.check.interval.ms': '1000',
    'log.segment.delete.delay.ms': '1000',
    'log.cleaner.dedupe.buffer.size': '4194304',
    'num.network.threads': '2',
    'num.io.threads': '4',
    'controlled.shutdown.enable': 'true',
  };
}

function properties(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value.replaceAll('\n', '\\\n')}\n`)
    .join('');
}

async function format(classPath: string, server: Server, more: readonly string[]): Promise<void> {
  const args = ['-cp', classPath, 'kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', server.settings, ...more];
  await run('java', ['-Xmx128m', '-XX:TieredStopAtLevel=1', ...args]).catch(async (error) => {
    await writeFile(server.log, `${error.stdout}${error.stderr}`);
    throw error;
  });
}

async function start({ folder, classPath }: { folder: string; classPath: string }, server: Server): Promise<void> {
  const log = await open(server.log, 'a');
  const java = ['java', '-Xmx320m', '-Xms128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
  const config = `-Dlog4j2.configurationFile=${path.join(import.meta.dirname, 'log4j2.properties')}`;
  const kafka = ['-cp', classPath, 'kafka.Kafka', server.settings];
  const child = spawn('sh', ['-c', UNTIL_STDIN_CLOSES, 'sh', folder, server.id, ...java, config, ...kafka], {
    stdio: ['pipe', log.fd, log.fd],
    // A group of its own: an interrupt from the keyboard is for the tests, which still need it to clean up.
    detached: true,
  });
  await log.close();
  // The broker must not keep the process of the tests.
  child.unref();
  server.child = child;
}

/** Of the whole group: the shell that waits, and Java. */
async function signal(server: Server, name: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  const { child } = server;
  server.child = undefined;
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.ref();
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  if (name === 'SIGTERM') {
    // The shell waits for Java, which hands its partitions over first.
    process.kill(Number(await readFile(server.id, 'utf8')), 'SIGTERM');
    await ended;
  }
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
  await ended;
}

async function untilReady(kafka: Kafka, servers: readonly Server[], brokers: number): Promise<void> {
  const deadline = Date.now() + START_MS;
  for (;;) {
    const admin = kafka.admin();
    try {
      await admin.connect();
      const cluster = await admin.describeCluster();
      if (cluster.brokers.length >= brokers) return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    } finally {
      await admin.disconnect().catch(() => {});
    }
    const ended = servers.find(({ child }) => child !== undefined && child.exitCode !== null);
    if (ended !== undefined) throw new Error(`a broker ended with ${ended.child?.exitCode}`);
    if (Date.now() > deadline) throw new Error(`no answer in ${START_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

async function createTopic(kafka: Kafka, topic: string, options: TopicOptions = {}): Promise<void> {
  const admin = kafka.admin({ retry: { retries: 8 } });
  await admin.connect();
  try {
    await admin.createTopics({
      // kafkajs gives up where a broker has not heard of the topic yet.
      waitForLeaders: false,
      topics: [
        {
          topic,
          numPartitions: options.partitions ?? 1,
          replicationFactor: options.replication ?? -1,
          configEntries: Object.entries(options.config ?? {}).map(([name, value]) => ({ name, value })),
        },
      ],
    });
    await untilKnown(admin, topic, options.partitions ?? 1);
  } finally {
    await admin.disconnect();
  }
}

async function untilKnown(admin: ReturnType<Kafka['admin']>, topic: string, partitions: number): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    // A broker that has not heard of it yet answers with an error.
    const found = await admin.fetchTopicMetadata({ topics: [topic] }).catch(() => undefined);
    const led = found?.topics[0]?.partitions.filter(({ leader }) => leader >= 0).length ?? 0;
    if (led === partitions) return;
    await sleep(100);
  }
  throw new Error(`the topic ${topic} has no leaders after 10 s`);
}

/** Below the ports that the system gives to connections, so that a broker that was killed finds its own again. */
async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = 15_000 + Math.floor(Math.random() * 17_000);
    if (!found.has(port) && (await isFree(port))) found.add(port);
  }
  return [...found];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

import { createRequire } from 'node:module';
import type { ISocketFactory, LogEntry, Logger } from 'kafkajs';
import { ScoreBatchError, systemCode } from '../../errors.ts';
import type { Cluster, ClusterOptions, Encoder } from './wire.ts';

/**
 * The parts of kafkajs in use. Its consumer and producer are not among them: see docs/kafka-client.md. These internals are not
 * a public interface, so the version is pinned and nothing outside this folder knows them.
 */
export interface KafkaPackages {
  readonly Cluster: new (options: ClusterOptions) => Cluster;
  readonly Encoder: new (size?: number) => Encoder;
  readonly createLogger: (options: { level: number; logCreator: () => (entry: LogEntry) => void }) => Logger;
  readonly socketFactory: ISocketFactory;
}

const require = createRequire(import.meta.url);

/** @throws ScoreBatchError `configuration` if kafkajs is not installed */
export function loadKafka(): KafkaPackages {
  return load('kafkajs', () => {
    repair(require('kafkajs/src/network/connection'));
    repairAuthenticator(require('kafkajs/src/broker/saslAuthenticator'), require('kafkajs/src/errors').KafkaJSConnectionError);
    return {
      Cluster: require('kafkajs/src/cluster'),
      Encoder: require('kafkajs/src/protocol/encoder'),
      createLogger: require('kafkajs/src/loggers').createLogger,
      socketFactory: require('kafkajs/src/network/socketFactory')(),
    };
  });
}

interface Connection {
  socket?: unknown;
  connect(): Promise<unknown>;
  disconnect(): Promise<unknown>;
}

const repaired = new WeakSet<object>();

/**
 * Works around two bugs of kafkajs. Each request that finds its connection closed opens one: the last of several sockets is
 * kept and the others leak. And each disconnect while the broker is away adds a listener to the dead socket, until Node warns.
 */
function repair({ prototype }: { readonly prototype: Connection }): void {
  if (repaired.has(prototype)) return;
  repaired.add(prototype);
  const connecting = new WeakMap<Connection, Promise<unknown>>();
  const { connect, disconnect } = prototype;
  prototype.connect = function (this: Connection) {
    const begun = connecting.get(this) ?? connect.call(this).finally(() => connecting.delete(this));
    connecting.set(this, begun);
    return begun;
  };
  prototype.disconnect = async function (this: Connection) {
    const { socket } = this;
    const ended = await disconnect.call(this);
    if (this.socket === socket && !connecting.has(this)) delete this.socket;
    return ended;
  };
}

interface Authenticator {
  connection: {
    readonly host: string;
    readonly port: number;
    readonly sasl: object;
    send(request: unknown): Promise<unknown>;
    sendAuthRequest(request: unknown): Promise<unknown>;
  };
  authenticate(): Promise<void>;
}

/** What a request of kafkajs fails with; of a broker's answer it has a type. */
type Failure = Error & { readonly type?: string; readonly code?: string; readonly retriable?: boolean };

/**
 * Works around a third bug: kafkajs calls every failure during SASL a wrong password, also a lost connection or a broker that
 * does not answer in time.
 */
function repairAuthenticator(
  { prototype }: { readonly prototype: Authenticator },
  ConnectionError: new (message: string, of: { broker: string; code: string | undefined }) => Error,
): void {
  if (repaired.has(prototype)) return;
  repaired.add(prototype);
  const { authenticate } = prototype;
  prototype.authenticate = async function (this: Authenticator) {
    const { connection } = this;
    const { host, port, sasl } = connection;
    let failure: Failure | undefined;
    const send = (request: unknown) =>
      connection.send(request).catch((error: Failure) => {
        failure = error;
        throw error;
      });
    this.connection = { host, port, sasl, send, sendAuthRequest: (request) => connection.sendAuthRequest(request) };
    try {
      await authenticate.call(this);
    } catch (error) {
      if (failure === undefined) throw error;
      if (failure.type !== undefined || failure.retriable !== true) throw failure;
      // Of this kind, after which another broker is asked.
      throw new ConnectionError(`${failure.message}, during SASL`, { broker: `${host}:${port}`, code: failure.code });
    }
  };
}

export function loadSnappy(): typeof import('snappy') {
  return load('snappy', () => require('snappy'));
}

export function loadLz4(): typeof import('lz4-napi') {
  return load('lz4-napi', () => require('lz4-napi'));
}

function load<T>(name: string, from: () => T): T {
  try {
    return from();
  } catch (error) {
    if (systemCode(error) !== 'MODULE_NOT_FOUND') throw error;
    throw new ScoreBatchError('configuration', `the package ${name} is not installed`, {
      hint: 'install what streams need with `npm install kafkajs@2.2.4 snappy lz4-napi`',
      cause: error,
    });
  }
}

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

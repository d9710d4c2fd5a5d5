import { createRequire } from 'node:module';
import { ScoreBatchError, systemCode } from '../../errors.ts';
import type { Cluster, ClusterOptions, Encoder, KafkaLogger, LogEntry } from './wire.ts';

/**
 * What is used of kafkajs. Its consumer and producer are not: see docs/kafka-client.md. What they stand on is not part of its public
 * interface, which is why its version is pinned, and why nothing outside this folder knows it.
 */
export interface KafkaPackages {
  readonly Cluster: new (options: ClusterOptions) => Cluster;
  readonly Encoder: new (size?: number) => Encoder;
  readonly createLogger: (options: { level: number; logCreator: () => (entry: LogEntry) => void }) => KafkaLogger;
  readonly socketFactory: unknown;
}

const require = createRequire(import.meta.url);

/** @throws ScoreBatchError `configuration` if kafkajs is not installed */
export function loadKafka(): KafkaPackages {
  return load('kafkajs', () => {
    shareConnecting(require('kafkajs/src/network/connection'));
    return {
      Cluster: require('kafkajs/src/cluster'),
      Encoder: require('kafkajs/src/protocol/encoder'),
      createLogger: require('kafkajs/src/loggers').createLogger,
      socketFactory: require('kafkajs/src/network/socketFactory')(),
    };
  });
}

interface Connection {
  connect(): Promise<unknown>;
}

const sharing = new WeakSet<object>();

/** Requests that find a connection closed open it, each of them: kafkajs would keep the last socket and lose the others. */
function shareConnecting({ prototype }: { readonly prototype: Connection }): void {
  if (sharing.has(prototype)) return;
  sharing.add(prototype);
  const connecting = new WeakMap<Connection, Promise<unknown>>();
  const { connect } = prototype;
  prototype.connect = function (this: Connection) {
    const begun = connecting.get(this) ?? connect.call(this).finally(() => connecting.delete(this));
    connecting.set(this, begun);
    return begun;
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

import type { ISocketFactory, Logger } from 'kafkajs';

// The parts of kafkajs 2.2.4 that we use and its own types leave out. It has offsets, producer ids and timestamps as decimal
// strings.

export interface ClusterOptions {
  readonly logger: Logger;
  readonly socketFactory: ISocketFactory;
  readonly brokers: readonly string[];
  readonly ssl: object | undefined;
  readonly sasl: object | undefined;
  readonly clientId: string;
  readonly connectionTimeout: number;
  readonly authenticationTimeout: number;
  readonly requestTimeout: number;
  readonly metadataMaxAge: number;
  readonly retry: object;
  readonly allowAutoTopicCreation: boolean;
  readonly isolationLevel: number;
}

export interface PartitionMetadata {
  readonly partitionId: number;
  readonly leader: number;
  readonly replicas: readonly number[];
}

export interface TopicMetadata {
  readonly topicErrorCode: number;
  readonly topic: string;
  /** 16 bytes as hex; changes if the topic is deleted and recreated. */
  readonly topicId: string;
  /** `leader` is -1 if there is none. */
  readonly partitionMetadata: readonly PartitionMetadata[];
}

export interface ClusterMetadata {
  readonly brokers: readonly {
    readonly nodeId: number;
    readonly host: string;
    readonly port: number;
    readonly rack: string | null;
  }[];
  readonly controllerId: number;
  readonly topicMetadata: readonly TopicMetadata[];
}

interface BrokerPool {
  readonly metadata: ClusterMetadata | null;
  readonly brokers: Readonly<Record<string, Broker>>;
  readonly seedBroker: Broker | undefined;
  createBroker(options: object): Broker;
  findConnectedBroker(): Promise<Broker>;
}

export interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  refreshMetadata(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  findBroker(of: { nodeId: number }): Promise<Broker>;
  readonly brokerPool: BrokerPool;
  fetchTopicsOffset(
    topics: readonly { topic: string; partitions: readonly { partition: number }[]; fromTimestamp: number }[],
  ): Promise<readonly { partitions: readonly { partition: number; offset: string }[] }[]>;
}

export interface Encoder {
  readonly buffer: Buffer;
  writeInt8(value: number): Encoder;
  writeInt16(value: number): Encoder;
  writeInt32(value: number): Encoder;
  writeInt64(value: number | string): Encoder;
  writeString(value: string | null): Encoder;
  writeBuffer(value: Buffer): Encoder;
}

/** A request of our own, sent over a kafkajs connection. */
export interface OwnRequest<T> {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    encode(): Promise<Encoder>;
  };
  readonly response: {
    decode(raw: Buffer): Promise<T>;
    parse(decoded: T): Promise<T>;
  };
  readonly logResponseError: false;
}

interface TransactionRequest {
  readonly transactionalId: string;
  readonly producerId: string;
  readonly producerEpoch: number;
}

interface OffsetTopic {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly offset: string; readonly metadata: string }[];
}

export interface Broker {
  readonly nodeId: number;
  readonly versions: Readonly<Record<number, { readonly maxVersion: number }>> | null;
  readonly connectionPool: {
    readonly pool: readonly { readonly socket?: { destroy(): unknown } }[];
    send<T>(request: OwnRequest<T>): Promise<T>;
  };
  isConnected(): boolean;
  findGroupCoordinator(of: {
    groupId: string;
    coordinatorType: number;
  }): Promise<{ readonly coordinator: { readonly nodeId: number } }>;
  metadata(topics: readonly string[]): Promise<ClusterMetadata>;
  describeConfigs(request: { resources: readonly { type: number; name: string; configNames: readonly string[] }[] }): Promise<{
    readonly resources: readonly { readonly configEntries: readonly { configName: string; configValue: string | null }[] }[];
  }>;
  joinGroup(request: {
    groupId: string;
    sessionTimeout: number;
    rebalanceTimeout: number;
    memberId: string;
    groupProtocols: readonly { name: string; metadata: Buffer }[];
  }): Promise<{
    readonly generationId: number;
    readonly leaderId: string;
    readonly memberId: string;
    readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[];
  }>;
  syncGroup(request: {
    groupId: string;
    generationId: number;
    memberId: string;
    groupAssignment: readonly { memberId: string; memberAssignment: Buffer }[];
  }): Promise<{ readonly memberAssignment: Buffer }>;
  heartbeat(request: { groupId: string; groupGenerationId: number; memberId: string }): Promise<unknown>;
  leaveGroup(request: { groupId: string; memberId: string }): Promise<unknown>;
  initProducerId(request: {
    transactionalId: string;
    transactionTimeout: number;
  }): Promise<{ readonly producerId: string; readonly producerEpoch: number }>;
  addPartitionsToTxn(
    request: TransactionRequest & { topics: readonly { topic: string; partitions: readonly number[] }[] },
  ): Promise<unknown>;
  addOffsetsToTxn(request: TransactionRequest & { groupId: string }): Promise<unknown>;
  txnOffsetCommit(request: TransactionRequest & { groupId: string; topics: readonly OffsetTopic[] }): Promise<unknown>;
  endTxn(request: TransactionRequest & { transactionResult: boolean }): Promise<unknown>;
}

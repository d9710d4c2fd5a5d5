import { FlexibleReader, writeLength, writeTags, writeText } from './flexible.ts';
import type { Broker, ClusterMetadata, Encoder } from './wire.ts';

/** The first version with topic ids; Kafka 2.8 has it. */
const METADATA = { apiKey: 3, apiVersion: 10, apiName: 'Metadata' };
const NO_ID = Buffer.alloc(16);

/**
 * Returns metadata in kafkajs's form. Its own request fails as a whole if one partition has no leader or one topic is unknown;
 * here each topic has its own error, and such a partition has the leader -1.
 */
export function requestMetadata(broker: Broker, topics: readonly string[], encoder: Encoder): Promise<ClusterMetadata> {
  if ((broker.versions?.[METADATA.apiKey]?.maxVersion ?? METADATA.apiVersion) < METADATA.apiVersion) {
    throw Object.assign(new Error('topics have no ids'), { name: 'KafkaJSServerDoesNotSupportApiKey' });
  }
  return broker.connectionPool.send({
    request: { ...METADATA, encode: async () => encode(topics, encoder) },
    response: { decode: async (raw) => decode(raw), parse: async (decoded) => decoded },
    logResponseError: false,
  });
}

function encode(topics: readonly string[], encoder: Encoder): Encoder {
  writeTags(encoder);
  writeLength(encoder, topics.length);
  for (const topic of topics) writeTags(writeText(encoder.writeBuffer(NO_ID), topic));
  // Create no topic, and do not ask for permissions.
  return writeTags(encoder.writeInt8(0).writeInt8(0).writeInt8(0));
}

function decode(raw: Buffer): ClusterMetadata {
  const reader = new FlexibleReader(raw);
  const replicas = () => reader.array(() => reader.int32());
  reader.skip(4);
  const brokers = reader.array(() => {
    const broker = { nodeId: reader.int32(), host: reader.text(), port: reader.int32(), rack: reader.text() || null };
    reader.tags();
    return broker;
  });
  reader.text();
  const controllerId = reader.int32();
  const topicMetadata = reader.array(() => {
    const topicErrorCode = reader.int16();
    const topic = reader.text();
    const topicId = reader.bytes(16).toString('hex');
    reader.skip(1);
    const partitionMetadata = reader.array(() => {
      const partitionErrorCode = reader.int16();
      const partitionId = reader.int32();
      const leader = reader.int32();
      reader.skip(4);
      const of = {
        partitionErrorCode,
        partitionId,
        leader,
        replicas: replicas(),
        isr: replicas(),
        offlineReplicas: replicas(),
      };
      reader.tags();
      return of;
    });
    reader.skip(4);
    reader.tags();
    return { topicErrorCode, topic, topicId, partitionMetadata };
  });
  return { brokers, controllerId, topicMetadata };
}

import type { TopicFacts } from '../log.ts';
import type { Client } from './client.ts';
import { protocolError } from './protocol-error.ts';

const TOPIC = 2;
const UNKNOWN_TOPIC = 3;
const BEGIN = -2;
const END = -1;
const CONFIGS = [
  'cleanup.policy',
  'retention.ms',
  'retention.bytes',
  'max.message.bytes',
  'min.compaction.lag.ms',
  'min.insync.replicas',
];

/** @returns undefined if there is no such topic */
export async function topicFacts(client: Client, topic: string): Promise<TopicFacts | undefined> {
  const broker = await client.anyBroker();
  const found = (await broker.metadata([topic])).topicMetadata.find((one) => one.topic === topic);
  if (found === undefined || found.topicErrorCode === UNKNOWN_TOPIC) return undefined;
  if (found.topicErrorCode !== 0) throw protocolError(found.topicErrorCode);
  const ids = found.partitionMetadata.map(({ partitionId }) => partitionId).sort((a, b) => a - b);
  const [begins, ends, configs] = await Promise.all([
    client.offsets(topic, ids, BEGIN),
    client.offsets(topic, ids, END),
    broker.describeConfigs({ resources: [{ type: TOPIC, name: topic, configNames: CONFIGS }] }),
  ]);
  const values = new Map(configs.resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]));
  const number = (name: string) => {
    const value = Number(values.get(name) ?? Number.NaN);
    // Kafka uses -1 for no limit; a time of many thousand years amounts to the same.
    return value >= 0 && value < 2 ** 53 ? value : undefined;
  };
  const policy = values.get('cleanup.policy') ?? 'delete';
  return {
    partitions: ids.map((partition) => ({ partition, begin: begins.get(partition) ?? 0, end: ends.get(partition) ?? 0 })),
    compacted: policy.includes('compact'),
    deletes: policy.includes('delete'),
    retentionMs: number('retention.ms'),
    retentionBytes: number('retention.bytes'),
    maxMessageBytes: number('max.message.bytes'),
    minCompactionLagMs: number('min.compaction.lag.ms'),
    minInSyncReplicas: number('min.insync.replicas'),
    replicas: Math.min(...found.partitionMetadata.map(({ replicas }) => replicas.length)),
  };
}

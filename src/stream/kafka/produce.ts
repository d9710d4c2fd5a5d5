import type { OutputRecord } from '../log.ts';
import type { Client } from './client.ts';
import { partitionOf } from './partitioner.ts';
import type { Broker } from './wire.ts';
import { type RecordBytes, sizeOf } from './write-records.ts';

const PRODUCE = { apiKey: 0, apiVersion: 7, apiName: 'Produce' };
const ALL_REPLICAS = -1;
const TIMEOUT_MS = 10_000;
/** Of the records of a batch before compression: half of what a topic takes unless it is configured. */
const BATCH_BYTES = 512 * 1024;

/** Records of one transaction for one partition, in batches of a size that Kafka takes. */
export interface PartitionRecords {
  readonly topic: string;
  readonly partition: number;
  readonly batches: RecordBytes[][];
}

/** @throws ScoreBatchError `configuration` if there is no such topic */
export async function partitionRecords(client: Client, records: readonly OutputRecord[]): Promise<PartitionRecords[]> {
  const counts = new Map<string, number>();
  const found = new Map<string, { readonly of: PartitionRecords; bytes: number }>();
  let turn = 0;
  for (const record of records) {
    let count = counts.get(record.topic);
    if (count === undefined) {
      count = (await client.partitions(record.topic)).length;
      counts.set(record.topic, count);
    }
    const bytes = bytesOf(record);
    const partition = record.partition ?? (bytes.key === null ? turn++ % count : partitionOf(bytes.key, count));
    const place = `${partition} ${record.topic}`;
    let own = found.get(place);
    if (own === undefined) {
      own = { of: { topic: record.topic, partition, batches: [[]] }, bytes: 0 };
      found.set(place, own);
    }
    const size = sizeOf(bytes);
    if (own.bytes + size > BATCH_BYTES && own.bytes > 0) {
      own.of.batches.push([]);
      own.bytes = 0;
    }
    own.bytes += size;
    own.of.batches.at(-1)?.push(bytes);
  }
  return [...found.values()].map(({ of }) => of);
}

function bytesOf({ key, value, headers }: OutputRecord): RecordBytes {
  return {
    key: typeof key === 'string' ? Buffer.from(key) : key,
    value: typeof value === 'string' ? Buffer.from(value) : value,
    headers: Object.entries(headers ?? {}).map(([name, text]) => [Buffer.from(name), Buffer.from(text)]),
  };
}

export interface WrittenBatch {
  readonly topic: string;
  readonly partition: number;
  readonly batch: Buffer;
}

/** @returns the protocol's error code per batch, in their order; 0 for success */
export async function produce(
  client: Client,
  broker: Broker,
  transactionalId: string,
  written: readonly WrittenBatch[],
): Promise<number[]> {
  const codes = await client.send(broker, {
    request: { ...PRODUCE, encode: async () => encode(client, transactionalId, written) },
    decode,
  });
  return written.map(({ topic, partition }) => codes.get(`${partition} ${topic}`) ?? -1);
}

function encode(client: Client, transactionalId: string, written: readonly WrittenBatch[]) {
  const byTopic = new Map<string, WrittenBatch[]>();
  for (const one of written) byTopic.set(one.topic, [...(byTopic.get(one.topic) ?? []), one]);
  const size = written.reduce((sum, { topic, batch }) => sum + batch.length + topic.length + 16, 64 + transactionalId.length);
  const encoder = client.encoder(size);
  encoder.writeString(transactionalId).writeInt16(ALL_REPLICAS).writeInt32(TIMEOUT_MS).writeInt32(byTopic.size);
  for (const [topic, batches] of byTopic) {
    encoder.writeString(topic).writeInt32(batches.length);
    for (const { partition, batch } of batches) encoder.writeInt32(partition).writeInt32(batch.length).writeBuffer(batch);
  }
  return encoder;
}

function decode(raw: Buffer): ReadonlyMap<string, number> {
  const codes = new Map<string, number>();
  let at = 0;
  const int32 = () => {
    at += 4;
    return raw.readInt32BE(at - 4);
  };
  for (let topics = int32(); topics > 0; topics--) {
    const length = raw.readInt16BE(at);
    const topic = raw.toString('utf8', at + 2, at + 2 + length);
    at += 2 + length;
    for (let partitions = int32(); partitions > 0; partitions--) {
      const partition = int32();
      codes.set(`${partition} ${topic}`, raw.readInt16BE(at));
      at += 26;
    }
  }
  return codes;
}

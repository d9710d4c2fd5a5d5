import type { OutputRecord } from '../log.ts';
import type { Client } from './client.ts';
import { partitionOf } from './partitioner.ts';
import type { Broker } from './wire.ts';
import { type RecordBytes, sizeOf } from './write-records.ts';

const PRODUCE = { apiKey: 0, apiVersion: 7, apiName: 'Produce' };
const ALL_REPLICAS = -1;
const TIMEOUT_MS = 10_000;
const NO_HEADERS: RecordBytes['headers'] = [];
/** Bytes of a batch's records before compression: half of what a topic accepts by default. */
const BATCH_BYTES = 512 * 1024;

/** One transaction's records for one partition, in batches that Kafka accepts. */
export interface PartitionRecords {
  readonly topic: string;
  readonly partition: number;
  readonly batches: RecordBytes[][];
}

interface Place {
  readonly batches: RecordBytes[][];
  /** The batch being filled, and its bytes. */
  batch: RecordBytes[];
  bytes: number;
}

/** @throws ScoreBatchError `configuration` if there is no such topic */
export async function partitionRecords(client: Client, records: readonly OutputRecord[]): Promise<PartitionRecords[]> {
  const topics = new Map<string, (Place | undefined)[]>();
  const found: PartitionRecords[] = [];
  let turn = 0;
  for (const record of records) {
    const { topic } = record;
    let places = topics.get(topic);
    if (places === undefined) {
      places = (await client.partitions(topic)).map(() => undefined);
      topics.set(topic, places);
    }
    const bytes = bytesOf(record);
    const count = places.length;
    const partition = record.partition ?? (bytes.key === null ? turn++ % count : partitionOf(bytes.key, count));
    let place = places[partition];
    if (place === undefined) {
      const batch: RecordBytes[] = [];
      place = { batches: [batch], batch, bytes: 0 };
      places[partition] = place;
      found.push({ topic, partition, batches: place.batches });
    }
    const size = sizeOf(bytes);
    if (place.bytes + size > BATCH_BYTES && place.bytes > 0) {
      place.batch = [];
      place.batches.push(place.batch);
      place.bytes = 0;
    }
    place.bytes += size;
    place.batch.push(bytes);
  }
  return found;
}

function bytesOf({ key, value, headers }: OutputRecord): RecordBytes {
  return {
    key: typeof key === 'string' ? Buffer.from(key) : key,
    value: typeof value === 'string' ? Buffer.from(value) : value,
    headers:
      headers === undefined
        ? NO_HEADERS
        : Object.entries(headers).map(([name, text]) => [Buffer.from(name), Buffer.from(text)]),
  };
}

export interface WrittenBatch {
  readonly topic: string;
  readonly partition: number;
  readonly batch: Buffer;
}

/** @returns the protocol's error code per batch, in order; 0 for success */
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

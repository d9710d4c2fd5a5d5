import type { Client } from './client.ts';
import { type Aborted, toNumber } from './read-records.ts';
import type { Broker } from './wire.ts';

/** Kafka answers as soon as there is anything; a partition that could not be asked for meanwhile waits for this at most. */
const WAIT_MS = 100;
const PARTITION_BYTES = 1 << 20;
const RESPONSE_BYTES = 8 << 20;
const FETCH = { apiKey: 1, apiVersion: 11, apiName: 'Fetch' };
const READ_COMMITTED = 1;

export interface FetchedPartition {
  readonly partition: number;
  readonly errorCode: number;
  readonly end: number;
  readonly aborted: readonly Aborted[];
  readonly records: Buffer;
}

/** @param from offset per partition; all of them have this broker as their leader */
export function fetchPartitions(
  client: Client,
  broker: Broker,
  topic: string,
  from: ReadonlyMap<number, number>,
): Promise<FetchedPartition[]> {
  return client.send(broker, { request: { ...FETCH, encode: async () => encode(client, topic, from) }, decode });
}

function encode(client: Client, topic: string, from: ReadonlyMap<number, number>) {
  const encoder = client.encoder();
  encoder.writeInt32(-1).writeInt32(WAIT_MS).writeInt32(1).writeInt32(RESPONSE_BYTES).writeInt8(READ_COMMITTED);
  // No session: all partitions are named each time.
  encoder.writeInt32(0).writeInt32(-1);
  encoder.writeInt32(1).writeString(topic).writeInt32(from.size);
  for (const [partition, offset] of from) {
    encoder.writeInt32(partition).writeInt32(-1).writeInt64(offset).writeInt64(-1).writeInt32(PARTITION_BYTES);
  }
  return encoder.writeInt32(0).writeString('');
}

function decode(raw: Buffer): FetchedPartition[] {
  const fetched: FetchedPartition[] = [];
  let at = 10;
  const int32 = () => {
    at += 4;
    return raw.readInt32BE(at - 4);
  };
  const int64 = () => {
    at += 8;
    return raw.readBigInt64BE(at - 8);
  };
  for (let topics = int32(); topics > 0; topics--) {
    at += 2 + raw.readInt16BE(at);
    for (let partitions = int32(); partitions > 0; partitions--) {
      const partition = int32();
      const errorCode = raw.readInt16BE(at);
      at += 2;
      const end = toNumber(int64());
      at += 16;
      const aborted: Aborted[] = [];
      for (let count = int32(); count > 0; count--) aborted.push({ producerId: int64(), firstOffset: toNumber(int64()) });
      at += 4;
      const length = Math.max(0, int32());
      // A copy: a record that somebody keeps must not keep the records of all partitions.
      const records = Buffer.from(raw.subarray(at, at + length));
      at += length;
      fetched.push({ partition, errorCode, end, aborted, records });
    }
  }
  return fetched;
}

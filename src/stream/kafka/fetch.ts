import type { Client } from './client.ts';
import { FlexibleReader, writeLength, writeTags, writeText } from './flexible.ts';
import { protocolError } from './protocol-error.ts';
import { type Aborted, toNumber } from './read-records.ts';
import type { Broker } from './wire.ts';

/** Kafka answers as soon as it has records. A partition that joins during a request waits this long at most. */
const WAIT_MS = 100;
const RESPONSE_BYTES = 8 << 20;
/** The first version that identifies topics by id; Kafka 3.1 has it. */
const FETCH = { apiKey: 1, apiVersion: 13, apiName: 'Fetch' };
const READ_COMMITTED = 1;

export interface FetchedPartition {
  readonly partition: number;
  readonly errorCode: number;
  readonly end: number;
  readonly aborted: readonly Aborted[];
  readonly records: Buffer;
}

/**
 * Fetches by the topic's id, so that a topic that was deleted and recreated is not mistaken for the old one.
 *
 * @param from offset per partition; the broker must be the leader of all of them
 */
export function fetchPartitions(
  client: Client,
  broker: Broker,
  topicId: string,
  from: ReadonlyMap<number, number>,
  partitionBytes: number,
): Promise<FetchedPartition[]> {
  const encode = async () => request(client, topicId, from, partitionBytes);
  return client.send(broker, { request: { ...FETCH, encode }, decode });
}

function request(client: Client, topicId: string, from: ReadonlyMap<number, number>, partitionBytes: number) {
  const encoder = writeTags(client.encoder());
  encoder.writeInt32(-1).writeInt32(WAIT_MS).writeInt32(1).writeInt32(RESPONSE_BYTES).writeInt8(READ_COMMITTED);
  // No fetch session: every request names all partitions.
  encoder.writeInt32(0).writeInt32(-1);
  writeLength(writeLength(encoder, 1).writeBuffer(Buffer.from(topicId, 'hex')), from.size);
  for (const [partition, offset] of from) {
    encoder.writeInt32(partition).writeInt32(-1).writeInt64(offset).writeInt32(-1).writeInt64(-1).writeInt32(partitionBytes);
    writeTags(encoder);
  }
  return writeTags(writeText(writeLength(writeTags(encoder), 0), ''));
}

function decode(raw: Buffer): FetchedPartition[] {
  const reader = new FlexibleReader(raw);
  reader.skip(4);
  const code = reader.int16();
  if (code !== 0) throw protocolError(code);
  reader.skip(4);
  return reader
    .array(() => {
      reader.skip(16);
      const partitions = reader.array(() => fetchedPartition(reader));
      reader.tags();
      return partitions;
    })
    .flat();
}

function fetchedPartition(reader: FlexibleReader): FetchedPartition {
  const partition = reader.int32();
  const errorCode = reader.int16();
  const end = toNumber(reader.int64());
  reader.skip(16);
  const aborted = reader.array((): Aborted => {
    const found = { producerId: reader.int64(), firstOffset: toNumber(reader.int64()) };
    reader.tags();
    return found;
  });
  reader.skip(4);
  // Copy: keeping one record must not keep those of all partitions in memory.
  const records = Buffer.from(reader.bytes());
  reader.tags();
  return { partition, errorCode, end, aborted, records };
}

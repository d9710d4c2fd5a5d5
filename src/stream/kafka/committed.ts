import type { Committed } from '../log.ts';
import type { Client } from './client.ts';
import { userError } from './failure.ts';
import { FlexibleReader, writeLength, writeTags, writeText } from './flexible.ts';
import { protocolError } from './protocol-error.ts';
import type { Broker } from './wire.ts';

const OFFSET_FETCH = { apiKey: 9, apiVersion: 7, apiName: 'OffsetFetch' };

export interface CommittedOf {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
}

/**
 * What the group committed for a partition. While a transaction that commits an offset is open, Kafka is asked again: kafkajs's
 * own request would return the previous offset (KIP-447).
 */
export async function readCommitted(client: Client, of: CommittedOf, deadline: number): Promise<Committed | undefined> {
  try {
    return await client.coordinated('group', of.group, deadline, (broker) => ask(client, broker, of));
  } catch (error) {
    throw userError(error, `reading the committed offset of the group ${of.group}`);
  }
}

async function ask(client: Client, broker: Broker, of: CommittedOf): Promise<Committed | undefined> {
  const found = await client.send(broker, { request: { ...OFFSET_FETCH, encode: async () => encode(client, of) }, decode });
  if (found.code !== 0) throw protocolError(found.code);
  return found.offset < 0 ? undefined : { offset: found.offset, metadata: found.metadata };
}

function encode(client: Client, { group, topic, partition }: CommittedOf) {
  const encoder = writeTags(client.encoder());
  writeLength(writeText(encoder, group), 1);
  writeLength(writeText(encoder, topic), 1);
  writeTags(encoder.writeInt32(partition));
  // Require stable offsets.
  return writeTags(encoder.writeInt8(1));
}

function decode(raw: Buffer): { readonly code: number; readonly offset: number; readonly metadata: string } {
  const reader = new FlexibleReader(raw);
  let code = 0;
  let offset = -1;
  let metadata = '';
  reader.skip(4);
  reader.array(() => {
    reader.text();
    reader.array(() => {
      reader.skip(4);
      offset = Number(reader.int64());
      reader.skip(4);
      metadata = reader.text();
      code ||= reader.int16();
      reader.tags();
    });
    reader.tags();
  });
  code ||= reader.int16();
  return { code, offset, metadata };
}

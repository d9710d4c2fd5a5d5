import type { Committed } from '../log.ts';
import type { Client } from './client.ts';
import { userError } from './failure.ts';
import { protocolError } from './protocol-error.ts';
import type { Broker } from './wire.ts';

const OFFSET_FETCH = { apiKey: 9, apiVersion: 7, apiName: 'OffsetFetch' };

export interface CommittedOf {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
}

/**
 * What the group committed for a partition. While a transaction that commits an offset is not settled, Kafka is asked again: kafkajs's own
 * request would get the offset before it (KIP-447).
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

/** A flexible version (KIP-482): lengths are varints plus one, and tagged fields, of which there are none, end each structure. */
function encode(client: Client, { group, topic, partition }: CommittedOf) {
  const encoder = client.encoder();
  const varint = (value: number) => {
    let rest = value;
    for (; rest >= 128; rest >>>= 7) encoder.writeInt8(((rest & 0x7f) | 0x80) - 256);
    encoder.writeInt8(rest);
  };
  const text = (value: string) => {
    const bytes = Buffer.from(value);
    varint(bytes.length + 1);
    encoder.writeBuffer(bytes);
  };
  // The first one ends the header.
  varint(0);
  text(group);
  varint(2);
  text(topic);
  varint(2);
  encoder.writeInt32(partition);
  varint(0);
  // Only what is settled.
  encoder.writeInt8(1);
  varint(0);
  return encoder;
}

function decode(raw: Buffer): { readonly code: number; readonly offset: number; readonly metadata: string } {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = raw[at++] ?? 0;
      value |= (byte & 0x7f) << shift;
      if (byte < 128) return value;
    }
  };
  const bytes = () => {
    const length = Math.max(0, varint() - 1);
    at += length;
    return raw.subarray(at - length, at);
  };
  const tags = () => {
    for (let count = varint(); count > 0; count--) {
      varint();
      at += varint();
    }
  };
  const int16 = () => {
    at += 2;
    return raw.readInt16BE(at - 2);
  };
  let code = 0;
  let offset = -1;
  let metadata = '';
  tags();
  at += 4;
  for (let topics = varint() - 1; topics > 0; topics--) {
    bytes();
    for (let partitions = varint() - 1; partitions > 0; partitions--) {
      at += 4;
      offset = Number(raw.readBigInt64BE(at));
      at += 12;
      metadata = bytes().toString('utf8');
      code ||= int16();
      tags();
    }
    tags();
  }
  code ||= int16();
  return { code, offset, metadata };
}

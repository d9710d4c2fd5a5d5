import { TooLargeError, TransactionError } from '../log.ts';
import type { Client } from './client.ts';
import type { Compression } from './codec.ts';
import { isPassing, isUnknownTopic, missingTopic, noLeader } from './failure.ts';
import { type PartitionRecords, produce, type WrittenBatch } from './produce.ts';
import { protocolError } from './protocol-error.ts';
import { sleep } from './retry.ts';
import { writeBatch } from './write-records.ts';

const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 500;
/** A broker that just started may not know its topics yet. */
const UNKNOWN_TOPIC_MS = 10_000;
const SEQUENCES = 2 ** 31;
const TOO_LARGE = ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'];
/** The batch is already in the log: an answer was lost. */
const WRITTEN_BEFORE = 'DUPLICATE_SEQUENCE_NUMBER';

/** Who writes: a transactional id in one epoch. */
export interface Writer {
  readonly transactionalId: string;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** Number of the next record, per partition. */
  readonly sequences: Map<string, number>;
}

/** A partition's next batch. It is resent under the same sequence number, by which Kafka recognizes it. */
interface Outgoing {
  readonly records: PartitionRecords;
  written: WrittenBatch | undefined;
  /** It was sent, but its answer was lost. */
  unanswered: boolean;
}

interface Failure {
  readonly topic: string;
  readonly error: unknown;
}

/**
 * Writes all batches to the leaders of their partitions, one per partition at a time.
 *
 * @throws TooLargeError if Kafka refuses a record for its size, and it is certain which other batches were written
 * @throws ScoreBatchError `configuration` if a topic is gone
 */
export async function sendBatches(
  client: Client,
  writer: Writer,
  all: readonly PartitionRecords[],
  compression: Compression,
  deadline: number,
): Promise<void> {
  const outgoing = all.map((records): Outgoing => ({ records, written: undefined, unanswered: false }));
  let unknownSince: number | undefined;
  for (let pause = FIRST_PAUSE_MS; ; ) {
    const left = outgoing.filter(({ records }) => records.batches.length > 0);
    if (left.length === 0) return;
    const failures = await sendOnce(client, writer, left, compression);
    const [failure] = failures;
    if (failure === undefined) {
      pause = FIRST_PAUSE_MS;
      unknownSince = undefined;
      continue;
    }
    const fatal = failures.find(({ error }) => !isPassing(error) && !isUnknownTopic(error));
    if (fatal !== undefined) throw fatal.error instanceof TooLargeError ? refusal(fatal.error, outgoing) : fatal.error;
    const now = performance.now();
    const unknown = failures.find(({ error }) => isUnknownTopic(error));
    unknownSince = unknown === undefined ? undefined : (unknownSince ?? now);
    if (unknown !== undefined && now - (unknownSince ?? now) > UNKNOWN_TOPIC_MS)
      throw missingTopic(unknown.topic, unknown.error);
    if (now + pause > deadline) throw failure.error;
    await sleep(pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    await client.refresh().catch(() => undefined);
  }
}

/**
 * Kafka recognizes a batch by its number: if one of this transaction may have been written, the next transaction's would be
 * mistaken for it.
 */
function refusal(error: TooLargeError, outgoing: readonly Outgoing[]): Error {
  const isCertain = outgoing.every(({ written, unanswered }) => written === undefined && !unanswered);
  return isCertain ? error : new TransactionError('a batch was refused while another one was in flight', { cause: error });
}

async function sendOnce(
  client: Client,
  writer: Writer,
  left: readonly Outgoing[],
  compression: Compression,
): Promise<Failure[]> {
  const failures: Failure[] = [];
  const byLeader = new Map<number, Outgoing[]>();
  for (const one of left) {
    const { topic, partition } = one.records;
    try {
      const leader = (await client.partitions(topic)).find(({ partitionId }) => partitionId === partition)?.leader ?? -1;
      if (leader < 0) failures.push({ topic, error: noLeader(topic, partition) });
      else byLeader.set(leader, [...(byLeader.get(leader) ?? []), one]);
    } catch (error) {
      failures.push({ topic, error });
    }
  }
  await Promise.all(
    [...byLeader].map(async ([leader, batches]) => {
      try {
        const written = batches.map((one) => (one.written ??= write(writer, one.records, compression)));
        const codes = await produce(client, await client.broker(leader), writer.transactionalId, written);
        codes.forEach((code, i) => {
          const one = batches[i] as Outgoing;
          const error = settle(writer, one, code);
          if (error !== undefined) failures.push({ topic: one.records.topic, error });
        });
      } catch (error) {
        for (const one of batches) {
          one.unanswered = true;
          failures.push({ topic: one.records.topic, error });
        }
      }
    }),
  );
  return failures;
}

function write(writer: Writer, { topic, partition, batches }: PartitionRecords, compression: Compression): WrittenBatch {
  const sequence = writer.sequences.get(`${partition} ${topic}`) ?? 0;
  const batch = writeBatch(batches[0] ?? [], { ...writer, sequence }, Date.now(), compression);
  return { topic, partition, batch };
}

/** @returns the error if the batch is not in the log */
function settle(writer: Writer, one: Outgoing, code: number): unknown {
  const { topic, partition, batches } = one.records;
  const error = code === 0 ? undefined : protocolError(code);
  if (error !== undefined && TOO_LARGE.includes(error.type)) {
    one.written = undefined;
    return split(one.records);
  }
  if (error !== undefined && error.type !== WRITTEN_BEFORE) return error;
  const place = `${partition} ${topic}`;
  const count = batches.shift()?.length ?? 0;
  writer.sequences.set(place, ((writer.sequences.get(place) ?? 0) + count) % SEQUENCES);
  one.written = undefined;
  one.unanswered = false;
  return undefined;
}

/** Splits a batch that was refused for its size in halves: the topic's limit is below the default. */
function split({ topic, batches }: PartitionRecords): unknown {
  const refused = batches.shift() ?? [];
  const [only] = refused;
  if (refused.length === 1 && only !== undefined) return new TooLargeError({ topic, key: only.key, value: only.value });
  const half = Math.ceil(refused.length / 2);
  batches.unshift(refused.slice(0, half), refused.slice(half));
  return undefined;
}

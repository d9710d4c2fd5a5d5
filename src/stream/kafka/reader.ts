import { ScoreBatchError } from '../../errors.ts';
import type { LogBatch } from '../log.ts';
import type { Client } from './client.ts';
import { InflatedError } from './codec.ts';
import { isPassing, noLeader, typeOf, userError } from './failure.ts';
import { type FetchedPartition, fetchPartitions } from './fetch.ts';
import { protocolError } from './protocol-error.ts';
import { readRecords, UnreadableRecordsError } from './read-records.ts';
import { sleep } from './retry.ts';

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1_000;
/** How long brokers may be away. */
const AWAY_MS = 120_000;
/** How long a topic may be unknown: a broker that just started may not know it yet. */
const GONE_MS = 15_000;
/** Bytes per partition, as stored in the log; fewer if there are many partitions. */
const PARTITION_BYTES = 1 << 20;
const LEAST_BYTES = 64 << 10;
const ALL_BYTES = 64 << 20;
/** After this many decompressed bytes, other work gets a turn. */
const MUCH_BYTES = 4 << 20;

const UNKNOWN_TOPIC = ['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID', 'INCONSISTENT_TOPIC_ID'];

export interface ReaderOptions {
  readonly client: Client;
  readonly topic: string;
  /** Whether the partition can take more records now. Call `wake` when that changes. */
  wants(partition: number): boolean;
  /** Without records, it only moves the position past markers and aborted records. @param bytes memory of the records */
  deliver(batch: LogBatch, bytes: number): void;
  /** Called once; nothing is read afterwards. */
  fail(error: unknown): void;
}

/** Reads partitions from their leaders, ahead of processing, with one fetch per broker at a time. */
export interface Reader {
  seek(partition: number, offset: number): void;
  /** Also drops what is being fetched. */
  forget(partition: number): void;
  wake(): void;
  close(): void;
}

interface Position {
  readonly offset: number;
}

/** Since when a partition cannot be read, in `performance.now()` milliseconds. */
interface Trouble {
  readonly since: number;
  /** Set if Kafka says that there is no such topic. */
  readonly goneSince: number | undefined;
}

export function createReader({ client, topic, wants, deliver, fail }: ReaderOptions): Reader {
  const positions = new Map<number, Position>();
  const asked = new Set<number>();
  const stop = new AbortController();
  const leaders = new Map<number, number>();
  const troubles = new Map<number, Trouble>();
  let topicId: string | undefined;
  let refreshing = false;
  let pause = FIRST_PAUSE_MS;

  const end = (error: unknown) => {
    if (stop.signal.aborted) return;
    stop.abort();
    fail(userError(error, `reading ${topic}`));
  };

  const wake = () => {
    if (stop.signal.aborted) return;
    const byLeader = new Map<number, Map<number, Position>>();
    let isLost = topicId === undefined;
    for (const [partition, position] of positions) {
      const leader = leaders.get(partition);
      if (leader === undefined) isLost = true;
      if (leader === undefined || asked.has(leader) || !wants(partition)) continue;
      const parts = byLeader.get(leader) ?? new Map<number, Position>();
      byLeader.set(leader, parts.set(partition, position));
    }
    for (const [leader, parts] of byLeader) void ask(leader, parts);
    if (isLost && !refreshing) void refresh();
  };

  /** Looks up the leaders of partitions, while the others are still read. */
  const refresh = async () => {
    refreshing = true;
    try {
      if (troubles.size > 0) {
        await sleep(pause, stop.signal);
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
        if (stop.signal.aborted) return;
        await client.refresh();
      }
      const found = await client.topic(topic);
      topicId ??= found.topicId;
      if (found.topicId !== topicId) return end(madeAgain(topic));
      for (const { partitionId, leader } of found.partitionMetadata) {
        if (leader >= 0) leaders.set(partitionId, leader);
        else if (positions.has(partitionId)) troubled(partitionId, noLeader(topic, partitionId));
      }
      for (const partition of positions.keys()) {
        if (!leaders.has(partition) && !troubles.has(partition)) troubled(partition, noLeader(topic, partition));
      }
    } catch (error) {
      for (const partition of positions.keys()) if (!leaders.has(partition)) troubled(partition, error);
      await sleep(pause, stop.signal);
    } finally {
      refreshing = false;
      wake();
    }
  };

  /** Looks for the leader again, until it has taken too long. */
  const troubled = (partition: number, error: unknown) => {
    const now = performance.now();
    const isGone = UNKNOWN_TOPIC.includes(typeOf(error) ?? '');
    const before = troubles.get(partition);
    const trouble = { since: before?.since ?? now, goneSince: isGone ? (before?.goneSince ?? now) : undefined };
    troubles.set(partition, trouble);
    leaders.delete(partition);
    if (isGone) {
      if (now - (trouble.goneSince ?? now) > GONE_MS) end(gone(topic));
    } else if (!isPassing(error) || now - trouble.since > AWAY_MS) {
      end(error);
    }
  };

  const ask = async (leader: number, parts: ReadonlyMap<number, Position>) => {
    asked.add(leader);
    try {
      const from = new Map([...parts].map(([partition, { offset }]) => [partition, offset]));
      const bytes = Math.max(LEAST_BYTES, Math.min(PARTITION_BYTES, Math.floor(ALL_BYTES / positions.size)));
      const fetched = await fetchPartitions(client, await client.broker(leader), topicId ?? '', from, bytes);
      for (const one of fetched) {
        const position = parts.get(one.partition);
        // A seek or `forget` during the fetch replaced the position.
        if (position === undefined || positions.get(one.partition) !== position || stop.signal.aborted) continue;
        const opened = take(one, position.offset);
        if (opened > MUCH_BYTES) await new Promise(setImmediate);
      }
      if (troubles.size === 0) pause = FIRST_PAUSE_MS;
    } catch (error) {
      if (error instanceof UnreadableRecordsError) end(error);
      else for (const partition of parts.keys()) if (positions.has(partition)) troubled(partition, error);
    } finally {
      asked.delete(leader);
      wake();
    }
  };

  /** @returns bytes of the records */
  const take = (fetched: FetchedPartition, from: number): number => {
    const { partition, errorCode, end: highWatermark } = fetched;
    if (errorCode !== 0) {
      refused(partition, from, errorCode);
      return 0;
    }
    troubles.delete(partition);
    try {
      const { records, next, bytes } = readRecords(fetched.records, from, fetched.aborted);
      if (next === from) return 0;
      // Move it to the end of the next request: Kafka answers the first partition even with a batch over all size limits.
      positions.delete(partition);
      positions.set(partition, { offset: next });
      deliver({ partition, records, next, end: Math.max(highWatermark, next) }, bytes);
      return bytes;
    } catch (error) {
      if (!(error instanceof UnreadableRecordsError)) throw error;
      end(unreadable(`${topic}, partition ${partition}, from offset ${from} on`, error));
      return 0;
    }
  };

  const refused = (partition: number, from: number, code: number) => {
    const error = protocolError(code);
    if (error.type === 'OFFSET_OUT_OF_RANGE') {
      end(
        new ScoreBatchError('configuration', `the log of ${topic}, partition ${partition}, does not have offset ${from}`, {
          hint: 'start with a new `group`, `--start earliest` and `--accept-new-group`: retention removed records that had not been read, or the topic was recreated',
        }),
      );
    } else {
      troubled(partition, error);
    }
  };

  return {
    seek(partition, offset) {
      positions.set(partition, { offset });
      wake();
    },
    forget(partition) {
      positions.delete(partition);
      troubles.delete(partition);
    },
    wake,
    close: () => stop.abort(),
  };
}

function madeAgain(topic: string): ScoreBatchError {
  return new ScoreBatchError('configuration', `the topic ${topic} was deleted and recreated while it was being read`, {
    hint: 'start with a new `group`, `--start earliest` and `--accept-new-group`',
  });
}

function gone(topic: string): ScoreBatchError {
  return new ScoreBatchError('configuration', `the topic ${topic} was deleted while it was being read`, {
    hint: 'create the topic again, and start with a new `group`, `--start earliest` and `--accept-new-group`',
  });
}

function unreadable(where: string, error: UnreadableRecordsError): ScoreBatchError {
  return new ScoreBatchError('refused', `records of ${where} cannot be read: ${error.message}`, {
    hint:
      error.cause instanceof InflatedError
        ? 'set a smaller batch.size in the producer; to skip the batch, start with a new `group`, `--start latest` and `--accept-new-group`'
        : 'read them with Kafka’s own console consumer to see whether the log is damaged',
    cause: error,
  });
}

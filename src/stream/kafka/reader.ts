import { ScoreBatchError } from '../../errors.ts';
import type { LogBatch } from '../log.ts';
import type { Client } from './client.ts';
import { isPassing, typeOf, userError } from './failure.ts';
import { type FetchedPartition, fetchPartitions } from './fetch.ts';
import { readRecords, UnreadableRecordsError } from './read-records.ts';
import { sleep } from './retry.ts';

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1_000;
/** How long brokers may be away. */
const AWAY_MS = 120_000;
/** How long a topic may be unknown: a broker that just started may not know it yet. */
const GONE_MS = 15_000;

// Codes of the protocol.
const OFFSET_OUT_OF_RANGE = 1;
const UNKNOWN_TOPIC = [3, 100];
const TOPIC_AUTHORIZATION_FAILED = 29;

export interface ReaderOptions {
  readonly client: Client;
  readonly topic: string;
  /** Whether more records of the partition can be taken now. `wake` must be called once that changes. */
  wants(partition: number): boolean;
  /** Without records, it only moves the position past markers and aborted records. */
  deliver(batch: LogBatch): void;
  /**
   * The topic was unknown for a while and is there again: it may be another one of the same name. What it brings is dropped until
   * `seek`. If it is not given, reading continues.
   */
  returned?(): void;
  /** Called once. Nothing is read after it. */
  fail(error: unknown): void;
}

/** Reads partitions from their leaders, each ahead of its processing: a fetch per broker at a time. */
export interface Reader {
  seek(partition: number, offset: number): void;
  /** What of it is being fetched is dropped. */
  forget(partition: number): void;
  wake(): void;
  close(): void;
}

export function createReader({ client, topic, wants, deliver, returned, fail }: ReaderOptions): Reader {
  const positions = new Map<number, { readonly offset: number }>();
  const asked = new Set<number>();
  const stop = new AbortController();
  let leaders: ReadonlyMap<number, number> | undefined;
  let refreshing = false;
  let failingSince: number | undefined;
  let goneSince: number | undefined;
  let pause = FIRST_PAUSE_MS;

  const end = (error: unknown) => {
    if (stop.signal.aborted) return;
    stop.abort();
    fail(userError(error, `reading ${topic}`));
  };

  const wake = () => {
    if (stop.signal.aborted) return;
    if (leaders === undefined) {
      if (!refreshing) void refresh();
      return;
    }
    const byLeader = new Map<number, Map<number, { readonly offset: number }>>();
    for (const [partition, position] of positions) {
      const leader = leaders.get(partition);
      if (leader === undefined || asked.has(leader) || !wants(partition)) continue;
      const parts = byLeader.get(leader) ?? new Map();
      byLeader.set(leader, parts.set(partition, position));
    }
    for (const [leader, parts] of byLeader) void ask(leader, parts);
  };

  /** Who leads which partition; after a failure, when it is known again. */
  const refresh = async () => {
    refreshing = true;
    try {
      const partitions = await client.partitions(topic);
      if (failingSince !== undefined) {
        await sleep(pause, stop.signal);
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
        await client.refresh();
      }
      const found = failingSince === undefined ? partitions : await client.partitions(topic);
      leaders = new Map(found.filter(({ leader }) => leader >= 0).map(({ partitionId, leader }) => [partitionId, leader]));
    } catch (error) {
      failed(error);
      await sleep(pause, stop.signal);
    } finally {
      refreshing = false;
      wake();
    }
  };

  const failed = (error: unknown) => {
    failingSince ??= Date.now();
    leaders = undefined;
    if (typeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') return gone();
    if (!isPassing(error) || Date.now() - failingSince > AWAY_MS) end(error);
  };

  const gone = () => {
    goneSince ??= Date.now();
    if (Date.now() - goneSince < GONE_MS) return;
    end(
      new ScoreBatchError('configuration', `the topic ${topic} no longer exists`, { hint: 'it was deleted while it was read' }),
    );
  };

  const ask = async (leader: number, parts: ReadonlyMap<number, { readonly offset: number }>) => {
    asked.add(leader);
    try {
      const from = new Map([...parts].map(([partition, { offset }]) => [partition, offset]));
      const fetched = await fetchPartitions(client, await client.broker(leader), topic, from);
      const answered = fetched.every(({ errorCode }) => errorCode === 0);
      if (answered && goneSince !== undefined && returned !== undefined) {
        goneSince = undefined;
        positions.clear();
        returned();
      }
      for (const one of fetched) {
        const position = parts.get(one.partition);
        // Where it was sought or forgotten meanwhile, another position stands there.
        if (position !== undefined && positions.get(one.partition) === position) take(one, position.offset);
      }
      if (answered) {
        failingSince = undefined;
        goneSince = undefined;
        pause = FIRST_PAUSE_MS;
      }
    } catch (error) {
      if (error instanceof UnreadableRecordsError) end(error);
      else failed(error);
    } finally {
      asked.delete(leader);
      wake();
    }
  };

  const take = (fetched: FetchedPartition, from: number) => {
    if (stop.signal.aborted) return;
    const { partition, errorCode, end: highWatermark } = fetched;
    if (errorCode !== 0) return refused(partition, from, errorCode);
    try {
      const { records, next } = readRecords(fetched.records, from, fetched.aborted);
      if (next === from) return;
      // Last in the next request: the first one is answered even with a batch beyond all limits of size.
      positions.delete(partition);
      positions.set(partition, { offset: next });
      deliver({ partition, records, next, end: Math.max(highWatermark, next) });
    } catch (error) {
      if (!(error instanceof UnreadableRecordsError)) throw error;
      end(
        new ScoreBatchError(
          'refused',
          `records of ${topic}, partition ${partition}, from ${from} on cannot be read: ${error.message}`,
          {
            hint: 'read them with Kafka’s own console consumer to see whether the log is damaged',
            cause: error,
          },
        ),
      );
    }
  };

  const refused = (partition: number, from: number, code: number) => {
    if (code === OFFSET_OUT_OF_RANGE) {
      end(
        new ScoreBatchError('configuration', `the log of ${topic}, partition ${partition}, does not have the offset ${from}`, {
          hint: 'its retention removed records that were not read yet, or the topic was recreated: start with a new group',
        }),
      );
    } else if (code === TOPIC_AUTHORIZATION_FAILED) {
      end(new ScoreBatchError('permission', `Kafka does not permit reading ${topic}`, { hint: 'the user needs Read on it' }));
    } else {
      failingSince ??= Date.now();
      leaders = undefined;
      if (UNKNOWN_TOPIC.includes(code)) gone();
      else if (Date.now() - failingSince > AWAY_MS) {
        end(new ScoreBatchError('unavailable', `${topic}, partition ${partition}, has no leader (error ${code})`));
      }
    }
  };

  return {
    seek(partition, offset) {
      positions.set(partition, { offset });
      wake();
    },
    forget: (partition) => void positions.delete(partition),
    wake,
    close: () => stop.abort(),
  };
}

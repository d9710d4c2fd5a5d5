/** A record of a topic. Key and value are views of the whole fetch: copy what outlives the batch. */
export interface LogRecord {
  readonly offset: number;
  /** Epoch milliseconds. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

/** Committed records of one partition, in the order of their offsets. */
export interface LogBatch {
  readonly partition: number;
  readonly records: readonly LogRecord[];
  /** The offset after the last one read, past transaction markers and aborted records. */
  readonly next: number;
  /** End of the partition at the time of reading; `end - next` is the lag. */
  readonly end: number;
}

export interface OutputRecord {
  readonly topic: string;
  /** Chosen by the hash of the key if undefined. */
  readonly partition?: number;
  readonly key: Buffer | string | null;
  readonly value: Buffer | string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What is known of a topic. */
export interface TopicFacts {
  readonly partitions: readonly { readonly partition: number; readonly begin: number; readonly end: number }[];
  readonly compacted: boolean;
  readonly deletes: boolean;
  /** Milliseconds, and bytes per partition; undefined for no limit. */
  readonly retentionMs: number | undefined;
  readonly retentionBytes: number | undefined;
  readonly maxMessageBytes: number | undefined;
  readonly minCompactionLagMs: number | undefined;
  readonly minInSyncReplicas: number | undefined;
  readonly replicas: number;
}

/** The offset that a group committed, and the metadata written with it. */
export interface Committed {
  readonly offset: number;
  readonly metadata: string;
}

/** Outputs and the position of one input partition, committed together or not at all. */
export interface Transaction {
  readonly records: readonly OutputRecord[];
  /** Committed for the group and input partition of the producer. */
  readonly offset: number;
  readonly metadata: string;
}

/**
 * The only writer of an input partition's outputs. Opening it fences every earlier one of the same transactional id, and
 * settles its open transaction.
 */
export interface PartitionProducer {
  /** Read after fencing, so no earlier writer can move it. Undefined if the group has committed nothing. */
  committed(): Promise<Committed | undefined>;
  /**
   * @throws FencedError if another process took over the partition: nothing of this transaction is visible
   * @throws TooLargeError if Kafka refuses a record for its size: nothing is visible, and the producer stays usable
   * @throws TransactionError if it was aborted or the outcome is unknown: open the producer again, and read what is committed
   */
  commit(transaction: Transaction): Promise<void>;
  close(): Promise<void>;
}

export class FencedError extends Error {
  override readonly name = 'FencedError';
}

export class TransactionError extends Error {
  override readonly name = 'TransactionError';
}

/** A record exceeds the size limit of its topic. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError';
  /** Its key and value are bytes. */
  readonly record: OutputRecord;

  constructor(record: OutputRecord) {
    super(`a record is larger than ${record.topic} accepts`);
    this.record = record;
  }
}

/** How a member of a group handles its partitions. Calls for one partition never overlap; those for several may. */
export interface Member {
  /**
   * Called before the first batch of a partition after each assignment, and after `Subscription.restart`.
   *
   * @param kept whether this member also had the partition before the rebalance
   * @returns the offset to read from
   */
  assigned(partition: number, kept: boolean): Promise<number>;
  /**
   * @param isWanted false once the partition is paused, taken away or closed: the member should then leave the rest
   * @returns the rest, to be delivered first once the partition is wanted again; undefined once all records are in a committed
   * transaction, or in the member's memory
   */
  batch(batch: LogBatch, isWanted: () => boolean): Promise<LogBatch | undefined>;
  /** Partitions that now belong to another member, or to none. */
  revoked(partitions: readonly number[]): Promise<void>;
}

/** How soon the partitions of a killed process move to another, in milliseconds. */
export const SESSION_MS = 10_000;

/** The membership in a consumer group. */
export interface Subscription {
  /** Calls `assigned` again, and reads from the offset that it returns. */
  restart(partition: number): void;
  /** Back-pressure and the operator's pause: no `batch` for these until they are resumed. */
  pause(partitions: readonly number[]): void;
  resume(partitions: readonly number[]): void;
  /** Rejects with the error that ended the membership unexpectedly. */
  readonly ended: Promise<void>;
  /** Leaves the group after the calls in flight. */
  close(): Promise<void>;
}

/** A partitioned log with consumer groups and transactions: Kafka, or a simulation of it in tests. */
export interface Log {
  /** @returns undefined if there is no such topic */
  describe(topic: string): Promise<TopicFacts | undefined>;
  /** How many brokers the cluster has. */
  brokers(): Promise<number>;
  /** The first offset whose record has this timestamp or a later one; the end if there is none. */
  offsetAt(topic: string, partition: number, timestamp: number): Promise<number>;
  /**
   * Joins the group.
   *
   * @param owner names of what the group is for; all members must have one of them in common, if any are given
   */
  subscribe(topic: string, group: string, member: Member, owner?: readonly string[]): Promise<Subscription>;
  /** @param transactionalId `<group>-<topic>-<partition>` */
  openProducer(
    transactionalId: string,
    of: { readonly group: string; readonly topic: string; readonly partition: number },
  ): Promise<PartitionProducer>;
  /**
   * Reads committed records of partitions without a group, from the given offsets on, until the signal is aborted.
   *
   * @param from offset per partition
   */
  read(
    topic: string,
    from: ReadonlyMap<number, number>,
    batch: (batch: LogBatch) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void>;
  close(): Promise<void>;
}

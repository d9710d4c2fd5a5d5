import type { EventFeatures } from '../../event-features/definition.ts';
import type { AttributeRow, Attributes } from '../attributes.ts';
import type { DueEvent, EventRejection, StreamEvent } from '../event.ts';
import type { Log, LogRecord, OutputRecord } from '../log.ts';
import type { PartitionWindow, WindowCheckpoint } from '../partition-window.ts';
import type { Scorer } from '../scorer.ts';
import type { StreamSettings } from '../settings.ts';
import type { Stretch } from './stretch.ts';

/** Why an input record cannot be an event. */
export interface NoEvent {
  readonly reason: EventRejection;
  /** For people, such as a field's name; never a value. */
  readonly detail?: string;
}

/** An event with its score, from which output records are made. */
interface ScoredEvent {
  readonly partition: number;
  readonly due: DueEvent;
  readonly attributes: AttributeRow | undefined;
  readonly millionths: number;
  /** The bundle that scored it. */
  readonly scorer: Pick<Scorer, 'name' | 'version' | 'digest' | 'definitionDigest'>;
  /** Epoch milliseconds. */
  readonly scoredAt: number;
}

/** An input record that is not scored. */
interface RejectedRecord extends NoEvent {
  readonly partition: number;
  readonly record: LogRecord;
  /** Feature of the model that rejected it. */
  readonly feature?: string;
  /** Event time in epoch milliseconds, if the record is an event. */
  readonly time?: number;
  /** The bundle that was in use. */
  readonly scorer: Pick<Scorer, 'name' | 'version' | 'digest' | 'definitionDigest'>;
  /** Epoch milliseconds. */
  readonly rejectedAt: number;
}

/** Creates output records. Both are pure, so a repeated transaction differs only in its instants. */
export interface Outputs {
  /** The score, and the alert if its decision asks for one. */
  scored(event: ScoredEvent): readonly OutputRecord[];
  /** The dead letter, with hashes instead of values. Undefined if none is wanted. */
  rejected(record: RejectedRecord): OutputRecord | undefined;
}

/** Receives what happens in the flow, for metrics and messages. Calls must not throw. */
export interface FlowObserver {
  /** A partition is read from `from` on and scored from `position` on. `begins`: the group had committed nothing for it. */
  assigned(
    partition: number,
    at: { readonly from: number; readonly position: number; readonly kept: boolean; readonly begins: boolean },
  ): void;
  /** Its window is complete again. @param ms since the assignment */
  rebuilt(partition: number, events: number, ms: number): void;
  revoked(partition: number): void;
  read(partition: number, records: number): void;
  /** A transaction is visible. */
  committed(partition: number, what: CommittedFacts): void;
  /** A transaction failed, or the partition could not be opened; it is retried in `ms`. */
  restarting(partition: number, why: Error, ms: number): void;
  /** Reading is paused because windows exceed `limits.state`. */
  statePaused(bytes: number): void;
}

/** Contents of a transaction. */
export interface CommittedFacts {
  /** The next offset to read. */
  readonly position: number;
  readonly events: readonly DueEvent[];
  /** When they were scored, epoch milliseconds. */
  readonly at: number;
  /** Duration of the transaction in milliseconds. */
  readonly ms: number;
  readonly duplicates: number;
  readonly rejected: ReadonlyMap<EventRejection, number>;
}

/** The clock of the flow. */
export interface FlowClock {
  /** Epoch milliseconds, for what others read. */
  now(): number;
  /** Milliseconds of a monotonic clock, to measure durations. */
  elapsed(): number;
  /** Calls `then` once after `ms`. @returns a function that cancels it */
  after(ms: number, then: () => void): () => void;
}

export interface FlowOptions {
  readonly log: Log;
  readonly settings: Pick<StreamSettings, 'name' | 'group' | 'input' | 'features' | 'idleMs'> & {
    readonly output: Pick<StreamSettings['output'], 'scores'>;
    readonly limits: Pick<StreamSettings['limits'], 'eventsPerKey' | 'stateBytes' | 'batchEvents' | 'messageBytes'>;
  };
  /** Where a group without commits begins; for a replay the offset per partition. */
  readonly start: 'earliest' | 'latest' | ReadonlyMap<number, number>;
  /** Accepts a group without commits although scores were written. */
  readonly acceptNewGroup: boolean;
  /** Undefined for events of all times. */
  readonly stretch?: Stretch;
  /** Continues although other features were committed: windows are rebuilt with the new ones. */
  readonly acceptFeatures: boolean;
  /** `createPartitionWindow` */
  readonly windowOf: (
    features: EventFeatures,
    limits: { readonly eventsPerKey: number },
    checkpoint: WindowCheckpoint,
  ) => PartitionWindow;
  /** Pure. The event gets the record's `offset` and `timestamp`. */
  decode(record: LogRecord): StreamEvent | NoEvent;
  readonly attributes: Attributes | undefined;
  readonly scorer: Scorer;
  readonly outputs: Outputs;
  /**
   * Most bytes of key and value of a record of that topic; undefined if unknown. An event whose score is larger goes to the
   * dead-letter topic as `too large`.
   */
  mostBytes(topic: string): number | undefined;
  readonly clock: FlowClock;
  readonly observer: FlowObserver;
  /** In [0, 1), for jitter. */
  random(): number;
  /** Called once; nothing is read or committed afterwards, and the process must end. */
  onFatal(error: unknown): void;
}

/** State of an assigned partition, for metrics. */
export interface PartitionState {
  readonly partition: number;
  readonly position: number;
  readonly end: number;
  readonly rebuilding: boolean;
  readonly keys: number;
  readonly events: number;
  readonly pending: number;
  readonly bytes: number;
}

/** The exactly-once flow of all partitions that this process has. */
export interface Flow {
  /** Joins the group. @throws ScoreBatchError `configuration` if the input cannot be scored exactly */
  start(): Promise<void>;
  /**
   * Scores with another bundle from the next transaction on.
   *
   * @returns once nothing uses the earlier one, so that it can be closed
   */
  swap(scorer: Scorer): Promise<void>;
  /** The operator's pause: nothing is read until `resume`. */
  pause(): void;
  resume(): void;
  readonly partitions: readonly PartitionState[];
  /** Whether it has joined, and all its partitions are open with their windows rebuilt. */
  readonly ready: boolean;
  /** Drains: finishes the transactions in flight, leaves the group, and closes producers. */
  finish(): Promise<void>;
}

import type { EventFeatures } from '../../event-features/definition.ts';
import type { AttributeRow, Attributes } from '../attributes.ts';
import type { DueEvent, EventRejection, StreamEvent } from '../event.ts';
import type { Log, LogRecord, OutputRecord } from '../log.ts';
import type { PartitionWindow, WindowCheckpoint } from '../partition-window.ts';
import type { Scorer } from '../scorer.ts';
import type { StreamSettings } from '../settings.ts';
import type { Stretch } from './stretch.ts';

/** Why a record of the input cannot be an event. */
export interface NoEvent {
  readonly reason: EventRejection;
  /** For people, such as the name of a field; never a value. */
  readonly detail?: string;
}

/** An event with its score, from which the records of the outputs are made. */
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

/** A record of the input that is not scored. */
interface RejectedRecord extends NoEvent {
  readonly partition: number;
  readonly record: LogRecord;
  /** Feature of the model that refused it. */
  readonly feature?: string;
  /** Of a record that is an event, in epoch milliseconds. */
  readonly time?: number;
  /** The bundle that was in use. */
  readonly scorer: Pick<Scorer, 'name' | 'version' | 'digest' | 'definitionDigest'>;
  /** Epoch milliseconds. */
  readonly rejectedAt: number;
}

/** What is written. Both are pure, so that a transaction that is repeated differs in its instants only. */
export interface Outputs {
  /** The score, and where its decision asks for it the alert. */
  scored(event: ScoredEvent): readonly OutputRecord[];
  /** The dead letter: hashes, no values. Undefined if none is wanted. */
  rejected(record: RejectedRecord): OutputRecord | undefined;
}

/** What is told of the flow, for metrics and messages. Calls must not throw. */
export interface FlowObserver {
  /** A partition is read from `from` on, and scored from `position` on. `begins`: the group had committed nothing for it. */
  assigned(
    partition: number,
    at: { readonly from: number; readonly position: number; readonly kept: boolean; readonly begins: boolean },
  ): void;
  /** Its window is complete again. @param ms since it was assigned */
  rebuilt(partition: number, events: number, ms: number): void;
  revoked(partition: number): void;
  /** @param lag records of the partition that are not read yet */
  read(partition: number, records: number, lag: number): void;
  /** A transaction is visible. */
  committed(partition: number, what: CommittedFacts): void;
  /** A transaction failed, or the partition could not be opened; it is tried again in `ms`. */
  restarting(partition: number, why: Error, ms: number): void;
  /** Reading waits because windows take more than `limits.state`. */
  statePaused(bytes: number): void;
}

/** What was in a transaction. */
export interface CommittedFacts {
  /** The next offset to read. */
  readonly position: number;
  readonly events: readonly DueEvent[];
  /** When they were scored, in epoch milliseconds. */
  readonly at: number;
  /** Milliseconds of the transaction. */
  readonly ms: number;
  readonly duplicates: number;
  readonly rejected: ReadonlyMap<EventRejection, number>;
}

/** The clock of the flow. */
export interface FlowClock {
  /** Epoch milliseconds, for what is written and read by others. */
  now(): number;
  /** Milliseconds since an instant of its own. Nobody sets this clock, so durations are measured with it. */
  elapsed(): number;
  /** Calls `then` once, unless it is cancelled. @returns cancels it */
  after(ms: number, then: () => void): () => void;
}

export interface FlowOptions {
  readonly log: Log;
  readonly settings: Pick<StreamSettings, 'group' | 'input' | 'features' | 'idleMs'> & {
    readonly output: Pick<StreamSettings['output'], 'scores'>;
    readonly limits: Pick<StreamSettings['limits'], 'eventsPerKey' | 'stateBytes' | 'batchEvents' | 'messageBytes'>;
  };
  /** Where a group begins that has committed nothing; of a replay the offset per partition. */
  readonly start: 'earliest' | 'latest' | ReadonlyMap<number, number>;
  /** Begins a group that has committed nothing although there are scores. */
  readonly acceptNewGroup: boolean;
  /** Undefined: the events of all times. */
  readonly stretch?: Stretch;
  /** Continues where other features were committed: windows are rebuilt with these. */
  readonly acceptFeatures: boolean;
  /** `createPartitionWindow` */
  readonly windowOf: (
    features: EventFeatures,
    limits: { readonly eventsPerKey: number },
    checkpoint: WindowCheckpoint,
  ) => PartitionWindow;
  /** Pure. `offset` and `timestamp` of the event are the record's. */
  decode(record: LogRecord): StreamEvent | NoEvent;
  readonly attributes: Attributes | undefined;
  readonly scorer: Scorer;
  readonly outputs: Outputs;
  /**
   * Most bytes of key and value of a record of that topic. An event whose score is larger goes to the dead-letter topic as
   * `too large`. Undefined: no limit is known.
   */
  mostBytes(topic: string): number | undefined;
  readonly clock: FlowClock;
  readonly observer: FlowObserver;
  /** In [0, 1), for the jitter of waits. */
  random(): number;
  /** Called once: nothing is read or committed afterwards, and the process must end. */
  onFatal(error: unknown): void;
}

/** The state of an assigned partition, for metrics. */
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
   * @returns once nothing is scored with the earlier one, so that it can be closed
   */
  swap(scorer: Scorer): Promise<void>;
  /** The operator's: nothing is read until `resume`. */
  pause(): void;
  resume(): void;
  readonly partitions: readonly PartitionState[];
  /** It has joined, and each partition that it was given is open, with its windows rebuilt. */
  readonly ready: boolean;
  /** Drain: ends the transactions that are in flight, leaves the group, and closes producers. */
  finish(): Promise<void>;
}

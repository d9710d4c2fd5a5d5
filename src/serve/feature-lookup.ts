/** Where features come from that requests do not bring: a server of Feast. Plain values, because they go to other processes. */
export interface FeatureStore {
  /** `http://` or `https://`, without the path of a call. */
  readonly server: string;
  /** Name of the feature service. */
  readonly service: string;
  /** Names of the join keys. */
  readonly entities: readonly string[];
  /** Features that only requests bring. */
  readonly request: readonly string[];
  /** Milliseconds after which a value counts as unknown; undefined: never. */
  readonly maxAgeMs: number | undefined;
  /** Milliseconds for a whole answer. */
  readonly timeoutMs: number;
  /** Calls at once, in each process and for each model. */
  readonly concurrency: number;
  /** Entities of a call. */
  readonly callEntities: number;
  /** Bytes of an answer. */
  readonly answerBytes: number;
  /** Calls in a row that fail before none is made for `pauseMs`. */
  readonly failures: number;
  readonly pauseMs: number;
  /** Bearer token; undefined: none is sent. */
  readonly token: string | undefined;
}

/** The value of a join key, as it is sent on. An integer beyond 2^53 is a bigint. */
export type KeyValue = string | number | bigint;

/** One key by which rows are looked up. `any`: the store does not say, and takes both. */
export interface LookupKey {
  readonly name: string;
  readonly kind: 'text' | 'integer' | 'any';
}

/** A value as a cell of the feature's type takes it: float as number, int64 as bigint. */
export type StoredValue = string | number | bigint | boolean | null;

export interface LookupRequest {
  /** One list per row, in the order of `FeatureLookup.keys`. */
  readonly keys: readonly (readonly KeyValue[])[];
  /** On the `performance.now()` clock. */
  readonly deadline?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The values of rows by the position of their feature, one per row asked for. */
type StoredColumns = ReadonlyMap<number, readonly StoredValue[]>;

/** Looks features up that rows do not bring. */
export interface FeatureLookup {
  readonly keys: readonly LookupKey[];
  /** Per feature, in the order of `featuresOf`: whether the store has it. */
  readonly stored: readonly boolean[];
  /** Requests of one turn share a call, and a large one is several. @throws ServeFailure `unavailable`, `busy`, `late` or `gone`; nothing is guessed */
  find(request: LookupRequest): Promise<StoredColumns>;
  /** Whether no call is made at present, because the last ones failed. */
  paused(): boolean;
  close(): void;
}

/** Why a value is null. */
export const NULL_REASONS = ['not found', 'null', 'outside max age', 'too old'] as const;
export type NullReason = (typeof NULL_REASONS)[number];

/** What happens at lookups, for metrics and the log. */
export interface LookupEvents {
  /** A call ended. @param outcome `ok`, or how it failed */
  called?(outcome: string, seconds: number): void;
  nulls?(reason: NullReason, count: number): void;
  /** Calls are paused, or made again. */
  pausing?(paused: boolean, why: string): void;
}

/** A Feast server, the source of features that requests do not bring. Plain values, because other processes receive them. */
export interface FeatureStore {
  /** `http://` or `https://` URL, without the path of a call. */
  readonly server: string;
  /** Name of the feature service. */
  readonly service: string;
  /** Names of the join keys. */
  readonly entities: readonly string[];
  /** Features that only requests provide. */
  readonly request: readonly string[];
  /** Milliseconds after which a value counts as unknown; undefined for never. */
  readonly maxAgeMs: number | undefined;
  /** Timeout for a whole answer, milliseconds. */
  readonly timeoutMs: number;
  /** Most concurrent calls, per process and model. */
  readonly concurrency: number;
  /** Most entities per call. */
  readonly callEntities: number;
  /** Most bytes of an answer. */
  readonly answerBytes: number;
  /** After this many failed calls in a row, none is made for `pauseMs`. */
  readonly failures: number;
  readonly pauseMs: number;
  /** Bearer token; undefined to send none. */
  readonly token: string | undefined;
}

/** Value of a join key, as sent to the store. An integer beyond 2^53 is a bigint. */
export type KeyValue = string | number | bigint;

/** A key by which rows are looked up. `any`: the store does not specify a type, and accepts both. */
export interface LookupKey {
  readonly name: string;
  readonly kind: 'text' | 'integer' | 'any';
}

/** A value for a cell of the feature's type: float as number, int64 as bigint. */
export type StoredValue = string | number | bigint | boolean | null;

export interface LookupRequest {
  /** One list per row, in the order of `FeatureLookup.keys`. */
  readonly keys: readonly (readonly KeyValue[])[];
  /** On the `performance.now()` clock. */
  readonly deadline?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Values by the feature's position, one per requested row. */
type StoredColumns = ReadonlyMap<number, readonly StoredValue[]>;

/** Looks up features that rows do not bring. */
export interface FeatureLookup {
  readonly keys: readonly LookupKey[];
  /** Per feature, in the order of `featuresOf`: whether the store has it. */
  readonly stored: readonly boolean[];
  /**
   * Requests of one event loop turn share a call, and a large one is split. Never guesses. @throws ServeFailure `unavailable`,
   * `busy`, `late` or `gone`
   */
  find(request: LookupRequest): Promise<StoredColumns>;
  /** Whether calls are paused, because the last ones failed. */
  paused(): boolean;
  close(): void;
}

/** Why a value is null. */
export const NULL_REASONS = ['not found', 'null', 'outside max age', 'too old'] as const;
export type NullReason = (typeof NULL_REASONS)[number];

/** Lookup events, for metrics and the log. */
export interface LookupEvents {
  /** A call ended. @param outcome `ok`, or how it failed */
  called?(outcome: string, seconds: number): void;
  nulls?(reason: NullReason, count: number): void;
  /** Calls are paused or resumed. */
  pausing?(paused: boolean, why: string): void;
}

import type { ColumnBatch, ReadKind } from '../domain/column-batch.ts';
import type { Bundle } from '../model/bundle.ts';
import type { Predictions } from '../model/predictions.ts';
import type { FeatureLookup } from './feature-lookup.ts';

/** Rows to score, and for how long somebody waits for them. */
export interface ScoreRequest {
  /**
   * The columns are in the order of `featuresOf`, each of the model's `kinds`; `float32` also where that is `float64`: a bound is
   * then rounded like the values before they are compared.
   */
  readonly batch: ColumnBatch;
  /** On the `performance.now()` clock; a request that is still queued then is not scored. */
  readonly deadline?: number;
  /** Aborted once nobody waits for the answer. */
  readonly signal?: AbortSignal;
}

/** Golden rows scored alone, and again in runs of several sizes. */
export interface BitComparison {
  /** Whether all bits agreed in runs of up to `runRows` rows. */
  readonly same: boolean;
  /** Largest difference of a value in a run; 0 if no run had any. If `same`, it is of a run that is too large to happen. */
  readonly largest: number;
  /** Rows of that run; 0 if no run had a difference. */
  readonly rows: number;
}

/** A bundle in memory that has proved its golden rows in this process. */
export interface OnlineModel {
  readonly name: string;
  readonly version: string;
  /** SHA-256 of the model file, hex. */
  readonly digest: string;
  readonly bundle: Bundle;
  /** Names of the classes, in the order of the probabilities; undefined for a bundle with one score. */
  readonly classes: readonly string[] | undefined;
  /** Element type of the model's output. */
  readonly outputDtype: 'float32' | 'float64';
  /** The kind that each feature's column must have, in the order of `featuresOf`. */
  readonly kinds: readonly ReadKind[];
  /** Looks up what rows do not bring; undefined where they bring all. */
  readonly features: FeatureLookup | undefined;
  /** Most rows of one request. */
  readonly maxRows: number;
  /** Takes over what other processes measured, so that all take as many. A larger request than `runRows` is scored in parts. */
  setMaxRows(rows: number): void;
  /**
   * Most rows that the model gets at once: about as many as it scores in 50 ms, or fewer to have the same bits. A larger request
   * is scored in parts.
   */
  readonly runRows: number;
  /** Whether a row has the same bits in every batch; else within 1e-6. Golden rows have shown it. */
  readonly sameBits: boolean;
  /** What `sameBits` was concluded from. */
  readonly bits: BitComparison;
  /** Rows that wait to be scored. */
  queuedRows(): number;
  /**
   * @throws ServeFailure `too large`, `busy`, `late`, `gone`, or `internal` if the model fails on these rows alone
   */
  score(request: ScoreRequest): Promise<Predictions>;
  close(): Promise<void>;
}

import type { ColumnBatch, ReadKind } from '../domain/column-batch.ts';
import type { Bundle } from '../model/bundle.ts';
import type { Predictions } from '../model/predictions.ts';
import type { FeatureLookup } from './feature-lookup.ts';

/** Rows to score, and how long somebody waits for them. */
export interface ScoreRequest {
  /**
   * Columns in the order of `featuresOf`, each of the model's `kinds`. `float32` is allowed where that is `float64`; bounds are
   * then rounded like the values before they are compared.
   */
  readonly batch: ColumnBatch;
  /** On the `performance.now()` clock; a request still queued then is not scored. */
  readonly deadline?: number;
  /** Aborted once nobody waits for the answer. */
  readonly signal?: AbortSignal;
}

/** Compares golden rows scored alone with the same rows in runs of several sizes. */
export interface BitComparison {
  /** Whether all bits agree in runs of up to `runRows` rows. */
  readonly same: boolean;
  /**
   * Largest difference of a value in a run; 0 if there is none. If `same`, it comes from a run larger than `runRows`, which
   * does not happen.
   */
  readonly largest: number;
  /** Rows of that run; 0 if there is no difference. */
  readonly rows: number;
}

/** A bundle in memory that has proved its golden rows in this process. */
export interface OnlineModel {
  readonly name: string;
  readonly version: string;
  /** SHA-256 of the model file, hex. */
  readonly digest: string;
  readonly bundle: Bundle;
  /** Class names in the order of the probabilities; undefined for a bundle with one score. */
  readonly classes: readonly string[] | undefined;
  /** Element type of the model's output. */
  readonly outputDtype: 'float32' | 'float64';
  /** The kind of each feature's column, in the order of `featuresOf`. */
  readonly kinds: readonly ReadKind[];
  /** Looks up what rows do not bring; undefined if they bring everything. */
  readonly features: FeatureLookup | undefined;
  /** Most rows per request. */
  readonly maxRows: number;
  /** Applies the limit that all processes agreed on. A request larger than `runRows` is scored in parts. */
  setMaxRows(rows: number): void;
  /**
   * Most rows per run of the model: about as many as it scores in 50 ms, or fewer if only then bits stay the same. A larger
   * request is scored in parts.
   */
  readonly runRows: number;
  /** Whether a row has the same bits in every batch, otherwise within 1e-6; verified on golden rows. */
  readonly sameBits: boolean;
  /** The comparison behind `sameBits`. */
  readonly bits: BitComparison;
  /** Rows waiting to be scored. */
  queuedRows(): number;
  /**
   * @throws ServeFailure `too large`, `busy`, `late`, `gone`, or `internal` if the model fails on these rows alone
   */
  score(request: ScoreRequest): Promise<Predictions>;
  close(): Promise<void>;
}

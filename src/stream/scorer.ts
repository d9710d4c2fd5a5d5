import type { Rejection } from '../features/rejection.ts';
import type { AttributeRow } from './attributes.ts';
import type { DueEvent } from './event.ts';

/** A due event with the attributes of its key. */
export interface ScorableEvent {
  readonly due: DueEvent;
  readonly attributes: AttributeRow | undefined;
}

export interface EventScores {
  /** Scores in millionths, one per event; meaningless where `rejected` is not 0. */
  readonly millionths: Int32Array;
  readonly rejected: readonly Rejection[];
}

/** A bundle in memory that has proved its golden rows. */
export interface Scorer {
  readonly name: string;
  readonly version: string;
  /** SHA-256 of the model file, hex. */
  readonly digest: string;
  /**
   * SHA-256, hex, of everything else that decides a score: the bundle's definition, the class, and the sources of its features.
   */
  readonly definitionDigest: string;
  /** Names of the bundle's features, by their position in a `Rejection`. */
  readonly featureNames: readonly string[];
  /** Concurrent calls take turns. */
  score(events: readonly ScorableEvent[]): Promise<EventScores>;
  close(): Promise<void>;
}

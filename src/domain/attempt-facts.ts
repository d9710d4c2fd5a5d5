import type { Scorer } from './scorer.ts';
import type { TextCounts } from './text-counts.ts';

/** Metadata of an attempt. Stored as JSON in the column `facts` of its first staged row; null in its other rows. */
export interface AttemptFacts {
  readonly scorer: Scorer;
  /** Counts of known and unknown values; empty if no text feature has categories. */
  readonly texts?: TextCounts;
  /** Rows that kept an earlier score, because their features did not change; only of slices. */
  readonly unchanged?: number;
}

/** @returns undefined if an attempt did not write this text: other tools may write to staging */
export function readFacts(text: string | null | undefined): AttemptFacts | undefined {
  try {
    const facts = JSON.parse(text ?? '') as AttemptFacts | null;
    return facts?.scorer === undefined ? undefined : facts;
  } catch {
    return undefined;
  }
}

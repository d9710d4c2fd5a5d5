import type { Scorer } from './scorer.ts';
import type { TextCounts } from './text-counts.ts';

/** What an attempt says of itself. Stands as JSON in the column `facts` of its first staged row; null in the others. */
export interface AttemptFacts {
  readonly scorer: Scorer;
  /** What its text features met; empty where none of them has categories. */
  readonly texts?: TextCounts;
}

/** @returns undefined where the text is not what an attempt writes: staging may be written by others */
export function readFacts(text: string | null | undefined): AttemptFacts | undefined {
  try {
    const facts = JSON.parse(text ?? '') as AttemptFacts | null;
    return facts?.scorer === undefined ? undefined : facts;
  } catch {
    return undefined;
  }
}

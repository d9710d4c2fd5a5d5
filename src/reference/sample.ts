import type { Cell } from './cells.ts';

/** Maximum rows of a sample. More would not change a histogram visibly. */
const MAX_SAMPLED = 100_000;

/** Rows of the training set that a run would score: all of them, or an even sample if there are more than `MAX_SAMPLED`. */
export interface Sample {
  /** Features of each row in the order of `featuresOf`. */
  readonly rows: readonly (readonly Cell[])[];
  /** The model's score of each row. */
  readonly scores: readonly number[];
  /** The expected score of each row; empty without expected scores. */
  readonly expected: readonly number[];
}

export interface Sampler {
  /** @param read makes the row; only called if the row is kept */
  offer(read: () => readonly Cell[], score: number, expected: number | undefined): void;
  sample(): Sample;
}

/**
 * Keeps an even sample of a stream of rows (Vitter's algorithm R).
 *
 * @param random numbers from 0 to 1
 */
export function createSampler(random: () => number, max = MAX_SAMPLED): Sampler {
  const rows: (readonly Cell[])[] = [];
  const scores: number[] = [];
  const expected: number[] = [];
  let offered = 0;
  return {
    offer(read, score, wanted) {
      const place = offered < max ? offered : Math.floor(random() * (offered + 1));
      offered += 1;
      if (place >= max) return;
      rows[place] = read();
      scores[place] = score;
      if (wanted !== undefined) expected[place] = wanted;
    },
    sample: () => ({ rows, scores, expected }),
  };
}

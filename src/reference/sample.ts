import type { Cell } from './cells.ts';

/** Rows that are kept. More would not change a histogram that people could tell. */
const MAX_SAMPLED = 100_000;

/** Rows of the training set that a run would score: all of them, or an even sample where there are more than `MAX_SAMPLED`. */
export interface Sample {
  /** Features of each row in the order of `featuresOf`. */
  readonly rows: readonly (readonly Cell[])[];
  /** Score of each row by the model. */
  readonly scores: readonly number[];
  /** Score that the source has for each row; empty where it was not asked for. */
  readonly expected: readonly number[];
}

export interface Sampler {
  /** @param read makes the row where it is kept */
  offer(read: () => readonly Cell[], score: number, expected: number | undefined): void;
  sample(): Sample;
}

/**
 * Keeps an even sample of rows that come by (Vitter's algorithm R).
 *
 * @param random numbers from 0 to 1
 */
export function createSampler(random: () => number, most = MAX_SAMPLED): Sampler {
  const rows: (readonly Cell[])[] = [];
  const scores: number[] = [];
  const expected: number[] = [];
  let offered = 0;
  return {
    offer(read, score, wanted) {
      const place = offered < most ? offered : Math.floor(random() * (offered + 1));
      offered += 1;
      if (place >= most) return;
      rows[place] = read();
      scores[place] = score;
      if (wanted !== undefined) expected[place] = wanted;
    },
    sample: () => ({ rows, scores, expected }),
  };
}

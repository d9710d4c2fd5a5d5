import type { Cell } from './cells.ts';

/** Maximum rows of a sample. More would not change a histogram visibly. */
const MAX_SAMPLED = 100_000;

/** Rows of the training set that a run would score: all of them, or an even sample if there are more than `MAX_SAMPLED`. */
export interface Sample {
  /** Features of each row in the order of `featuresOf`. */
  readonly rows: readonly (readonly Cell[])[];
  /** What the model gives each row: its score, or the probabilities of all classes. */
  readonly values: readonly (readonly number[])[];
  /** The same as expected; empty without expected scores. */
  readonly expected: readonly (readonly number[])[];
}

export interface Sampler {
  /** @param read creates the row; only called if the row is kept */
  offer(read: () => readonly Cell[], values: readonly number[], expected: readonly number[] | undefined): void;
  sample(): Sample;
}

/**
 * Keeps an even sample of a stream of rows (Vitter's algorithm R).
 *
 * @param random numbers from 0 to 1
 */
export function createSampler(random: () => number, max = MAX_SAMPLED): Sampler {
  const rows: (readonly Cell[])[] = [];
  const values: (readonly number[])[] = [];
  const expected: (readonly number[])[] = [];
  let offered = 0;
  return {
    offer(read, given, wanted) {
      const place = offered < max ? offered : Math.floor(random() * (offered + 1));
      offered += 1;
      if (place >= max) return;
      rows[place] = read();
      values[place] = given;
      if (wanted !== undefined) expected[place] = wanted;
    },
    sample: () => ({ rows, values, expected }),
  };
}

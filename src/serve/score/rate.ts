/** How fast rows are scored lately. */
export interface Rate {
  add(rows: number, seconds: number): void;
  /** Seconds until so many rows are scored: whole, and at least 1. */
  seconds(rows: number): number;
}

/** How much of the earlier runs is kept at each run. */
const KEPT = 0.9;

/** @param secondsPerRow until something has been added */
export function createRate(secondsPerRow: number): Rate {
  let done = 1;
  let spent = secondsPerRow;
  return {
    add(rows, seconds) {
      done = KEPT * done + rows;
      spent = KEPT * spent + seconds;
    },
    seconds: (rows) => Math.max(1, Math.ceil((rows * spent) / done)),
  };
}

/** How fast rows were scored lately. */
export interface Rate {
  add(rows: number, seconds: number): void;
  /** Seconds until this many rows are scored: whole, at least 1. */
  seconds(rows: number): number;
}

/** Weight kept by earlier runs at each new run. */
const KEPT = 0.9;

/** @param secondsPerRow assumed until something has been added */
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

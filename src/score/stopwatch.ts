/** Seconds that a chunk worker spent on each part of a chunk. */
export interface Stopwatch {
  readonly seconds: { read: number; encode: number; score: number; write: number };
  /** Adds the time since the last lap to one part of the work. */
  lap(part: keyof Stopwatch['seconds']): void;
}

export function stopwatch(): Stopwatch {
  const seconds = { read: 0, encode: 0, score: 0, write: 0 };
  let last = performance.now();
  return {
    seconds,
    lap(part) {
      const now = performance.now();
      seconds[part] += (now - last) / 1000;
      last = now;
    },
  };
}

import type { FeatureValue } from '../event.ts';
import type { Accumulator } from './accumulator.ts';
import type { Records } from './records.ts';

const ACCUMULATOR_BYTES = 160;

/** The events in a feature's window, as positions counted from the key's oldest event. */
interface RunningWindow {
  from: number;
  to: number;
  readonly accumulators: readonly Accumulator[];
}

/**
 * The features of a key with many events, updated as their windows move: the cost per event is what enters and leaves, not the
 * window's size. Out-of-order events move windows back, and forward again.
 */
export class RunningValues {
  readonly #windows: readonly RunningWindow[];
  readonly #bytes: number;
  readonly #bytesPerEvent: number;

  /** @param accumulators per window */
  constructor(accumulators: readonly (readonly Accumulator[])[]) {
    this.#windows = accumulators.map((of) => ({ from: 0, to: 0, accumulators: of }));
    this.#bytes = ACCUMULATOR_BYTES * accumulators.flat().length;
    this.#bytesPerEvent = accumulators.flat().reduce((sum, { bytesPerEvent }) => sum + bytesPerEvent, 0);
  }

  /** Upper bound of its bytes for this many events. */
  bytes(events: number): number {
    return this.#bytes + this.#bytesPerEvent * events;
  }

  /** Call after inserting a record. */
  inserted(events: Records, index: number): void {
    const place = index - events.from;
    for (const window of this.#windows) {
      if (place >= window.to) continue;
      window.to += 1;
      if (place < window.from) window.from += 1;
      else for (const accumulator of window.accumulators) accumulator.add(events, index);
    }
  }

  /** Call before removing the oldest record. */
  removing(events: Records): void {
    for (const window of this.#windows) {
      if (window.to === 0) continue;
      window.to -= 1;
      if (window.from > 0) window.from -= 1;
      else for (const accumulator of window.accumulators) accumulator.remove(events, events.from);
    }
  }

  /** Moves a window to the records from `from` to `to`. */
  move(events: Records, number: number, from: number, to: number): void {
    const window = this.#windows[number];
    if (window === undefined) return;
    const { accumulators } = window;
    const first = from - events.from;
    const end = to - events.from;
    if (first >= window.to || end <= window.from) {
      for (const accumulator of accumulators) accumulator.clear();
      window.from = first;
      window.to = first;
    }
    while (window.to < end) {
      for (const accumulator of accumulators) accumulator.add(events, events.from + window.to);
      window.to += 1;
    }
    while (window.from > first) {
      window.from -= 1;
      for (const accumulator of accumulators) accumulator.add(events, events.from + window.from);
    }
    while (window.from < first) {
      for (const accumulator of accumulators) accumulator.remove(events, events.from + window.from);
      window.from += 1;
    }
    while (window.to > end) {
      window.to -= 1;
      for (const accumulator of accumulators) accumulator.remove(events, events.from + window.to);
    }
  }

  /** @returns undefined if a sum overflows int64 */
  value(window: number, accumulator: number, range: Parameters<Accumulator['value']>[0]): FeatureValue | undefined {
    return this.#windows[window]?.accumulators[accumulator]?.value(range);
  }
}

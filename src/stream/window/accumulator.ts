import type { WindowFeature } from '../../event-features/definition.ts';
import type { FeatureValue } from '../event.ts';
import type { Range } from './aggregate.ts';
import { CountedExtreme } from './counted-extreme.ts';
import { Int64Sum } from './int64-sum.ts';
import { RunningLast, RunningSince } from './newest.ts';
import type { RecordLayout } from './record-layout.ts';
import type { Records } from './records.ts';
import { type Selection, selectionOf, valueAt } from './selection.ts';
import { compareTexts } from './text-order.ts';
import type { Texts } from './texts.ts';

/** Approximate bytes of a map entry with its number. */
const ENTRY_BYTES = 48;

/** Keeps a feature up to date while events enter and leave its range, in any order. */
export interface Accumulator {
  /** Approximate upper bound of its bytes per event in range. */
  readonly bytesPerEvent: number;
  clear(): void;
  add(events: Records, index: number): void;
  remove(events: Records, index: number): void;
  /** @returns undefined if a sum overflows int64 */
  value(range: Range): FeatureValue | undefined;
}

export function createAccumulator(feature: WindowFeature, layout: RecordLayout, texts: Texts): Accumulator {
  const selection = selectionOf(feature, layout);
  const { aggregate, field } = feature;
  const type = field === undefined ? undefined : layout.column(field).type;
  switch (aggregate) {
    case 'count':
      return new RunningCount(selection);
    case 'sum':
    case 'mean':
      return new RunningSum(selection, aggregate);
    case 'distinct':
      return new RunningDistinct(selection);
    case 'min':
      return type === 'string' ? new RunningText(selection, -1, texts) : new RunningExtreme(selection, (a, b) => a < b);
    case 'max':
      return type === 'string' ? new RunningText(selection, 1, texts) : new RunningExtreme(selection, (a, b) => a > b);
    case 'last':
      return new RunningLast(selection, layout.decoder(field ?? ''));
    case 'since':
      return new RunningSince(selection);
  }
}

class RunningCount implements Accumulator {
  readonly bytesPerEvent = 0;
  readonly #selection: Selection;
  #count = 0;

  constructor(selection: Selection) {
    this.#selection = selection;
  }

  clear(): void {
    this.#count = 0;
  }

  add(events: Records, index: number): void {
    if (!Number.isNaN(valueAt(this.#selection, events.data, index))) this.#count += 1;
  }

  remove(events: Records, index: number): void {
    if (!Number.isNaN(valueAt(this.#selection, events.data, index))) this.#count -= 1;
  }

  value(): number {
    return this.#count;
  }
}

class RunningSum implements Accumulator {
  readonly bytesPerEvent = 0;
  readonly #selection: Selection;
  readonly #shown: 'sum' | 'mean';
  readonly #sum = new Int64Sum();

  constructor(selection: Selection, shown: 'sum' | 'mean') {
    this.#selection = selection;
    this.#shown = shown;
  }

  clear(): void {
    this.#sum.clear();
  }

  add(events: Records, index: number): void {
    const value = valueAt(this.#selection, events.data, index);
    if (!Number.isNaN(value)) this.#sum.add(value);
  }

  remove(events: Records, index: number): void {
    const value = valueAt(this.#selection, events.data, index);
    if (!Number.isNaN(value)) this.#sum.remove(value);
  }

  value(): FeatureValue | undefined {
    return this.#sum[this.#shown];
  }
}

class RunningDistinct implements Accumulator {
  readonly bytesPerEvent = ENTRY_BYTES;
  readonly #selection: Selection;
  readonly #counts = new Map<number, number>();

  constructor(selection: Selection) {
    this.#selection = selection;
  }

  clear(): void {
    this.#counts.clear();
  }

  add(events: Records, index: number): void {
    const value = valueAt(this.#selection, events.data, index);
    if (!Number.isNaN(value)) this.#counts.set(value, (this.#counts.get(value) ?? 0) + 1);
  }

  remove(events: Records, index: number): void {
    const value = valueAt(this.#selection, events.data, index);
    if (Number.isNaN(value)) return;
    const count = (this.#counts.get(value) ?? 1) - 1;
    if (count > 0) this.#counts.set(value, count);
    else this.#counts.delete(value);
  }

  value(): number {
    return this.#counts.size;
  }
}

class RunningExtreme implements Accumulator {
  readonly bytesPerEvent = 2 * ENTRY_BYTES;
  readonly #selection: Selection;
  readonly #extreme: CountedExtreme;

  constructor(selection: Selection, isBefore: (a: number, b: number) => boolean) {
    this.#selection = selection;
    this.#extreme = new CountedExtreme(isBefore);
  }

  clear(): void {
    this.#extreme.clear();
  }

  add(events: Records, index: number): void {
    const value = valueAt(this.#selection, events.data, index);
    if (!Number.isNaN(value)) this.#extreme.add(value);
  }

  remove(events: Records, index: number): void {
    const value = valueAt(this.#selection, events.data, index);
    if (!Number.isNaN(value)) this.#extreme.remove(value);
  }

  value(): number | null {
    const first = this.#extreme.first();
    return Number.isNaN(first) ? null : first;
  }
}

/**
 * Searches for another extreme when the last event with the current one has left. Codes are reused, so none may stay in a heap.
 */
class RunningText implements Accumulator {
  readonly bytesPerEvent = ENTRY_BYTES;
  readonly #selection: Selection;
  readonly #sign: 1 | -1;
  readonly #texts: Texts;
  readonly #counts = new Map<number, number>();
  #extreme = Number.NaN;

  constructor(selection: Selection, sign: 1 | -1, texts: Texts) {
    this.#selection = selection;
    this.#sign = sign;
    this.#texts = texts;
  }

  clear(): void {
    this.#counts.clear();
    this.#extreme = Number.NaN;
  }

  add(events: Records, index: number): void {
    const code = valueAt(this.#selection, events.data, index);
    if (Number.isNaN(code)) return;
    const count = this.#counts.get(code) ?? 0;
    this.#counts.set(code, count + 1);
    if (count === 0) this.#compare(code);
  }

  remove(events: Records, index: number): void {
    const code = valueAt(this.#selection, events.data, index);
    if (Number.isNaN(code)) return;
    const count = (this.#counts.get(code) ?? 1) - 1;
    if (count > 0) {
      this.#counts.set(code, count);
      return;
    }
    this.#counts.delete(code);
    if (code !== this.#extreme) return;
    this.#extreme = Number.NaN;
    for (const other of this.#counts.keys()) this.#compare(other);
  }

  value(): string | null {
    return Number.isNaN(this.#extreme) ? null : this.#texts.text(this.#extreme);
  }

  #compare(code: number): void {
    const isFirst = Number.isNaN(this.#extreme);
    if (isFirst || this.#sign * compareTexts(this.#texts.text(code), this.#texts.text(this.#extreme)) > 0) this.#extreme = code;
  }
}

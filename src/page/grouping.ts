interface Limits<T> {
  /** Fewest users of a value that is shown by itself. */
  readonly minCell: number;
  /** Most values that are shown by themselves. */
  readonly most: number;
  /** Users of a value; the smallest of all numbers that the page shows of it. */
  readonly users: (value: T) => number;
}

interface Grouped<T> {
  /** Most users first. */
  readonly shown: readonly T[];
  /** What is shown as one row, `other (n values)`; its total is at least `minCell` unless there is nothing more to add. */
  readonly rest: readonly T[];
}

/**
 * Which values of a segment are shown by themselves. If the small ones together are still below the limit, the next larger
 * values join them: the total and the other rows would give them away.
 */
export function groupSmall<T>(values: readonly T[], { minCell, most, users }: Limits<T>): Grouped<T> {
  const sorted = [...values].sort((a, b) => users(b) - users(a));
  const small = sorted.findIndex((value) => users(value) < minCell);
  let shown = Math.min(most, small < 0 ? sorted.length : small);
  let total = sorted.slice(shown).reduce((sum, value) => sum + users(value), 0);
  while (shown < sorted.length && shown > 0 && total < minCell) {
    shown -= 1;
    total += users(sorted[shown] as T);
  }
  return { shown: sorted.slice(0, shown), rest: sorted.slice(shown) };
}

/** Most values of a segment that are shown by themselves. */
export const MOST_VALUES = 12;

/** Label of the row of grouped values. */
export function otherLabel(values: number): string {
  return `other (${values.toLocaleString('en')} ${values === 1 ? 'value' : 'values'})`;
}

interface Limits<T> {
  /** Fewest users of a value that is shown individually. */
  readonly minCell: number;
  /** Most values to show individually. */
  readonly most: number;
  /** Users of a value: the smallest number that the page shows for it. */
  readonly users: (value: T) => number;
}

interface Grouped<T> {
  /** Most users first. */
  readonly shown: readonly T[];
  /** Shown as one row, `other (n values)`; its total is at least `minCell` unless no value is left to add. */
  readonly rest: readonly T[];
}

/**
 * Decides which values of a segment to show individually. If the small ones together are still below the limit, the next larger
 * values join them: otherwise the total and the other rows would reveal them.
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

/** Most values of a segment to show individually. */
export const MOST_VALUES = 12;

/** Label of the row of grouped values. */
export function otherLabel(values: number): string {
  return `other (${values.toLocaleString('en')} ${values === 1 ? 'value' : 'values'})`;
}

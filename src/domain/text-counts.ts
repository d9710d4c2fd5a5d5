/**
 * Per text feature with categories: how many values were not null, and how many of those are not among the categories.
 * Counted during scoring, since published rows do not distinguish an allowed unknown value from a known one.
 */
export type TextCounts = Readonly<Record<string, readonly [present: number, unseen: number]>>;

/** Sums the counts of several attempts. */
export function addTextCounts(counts: readonly TextCounts[]): TextCounts {
  const sums = new Map<string, [number, number]>();
  for (const [name, [present, unseen]] of counts.flatMap((one) => Object.entries(one))) {
    const [before, unseenBefore] = sums.get(name) ?? [0, 0];
    sums.set(name, [before + present, unseenBefore + unseen]);
  }
  return Object.fromEntries(sums);
}

/** Share of a feature's values. */
const MAX_UNSEEN = 0.5;

interface UnseenTexts {
  readonly feature: string;
  readonly message: string;
  /** Share of the values that were never seen. */
  readonly share: number;
  readonly limit: number;
}

/**
 * Features with more than half of their values never seen in training, each with a message that quotes no value.
 *
 * Such a column uses other strings for the same things (`true` for `Yes`) or holds another column's values. Its scores would be
 * wrong, and nothing else would show it: each is still within 0 to 1.
 */
export function neverSeen(counts: TextCounts): UnseenTexts[] {
  return Object.entries(counts)
    .filter(([, [present, unseen]]) => unseen > present * MAX_UNSEEN)
    .map(([feature, [present, unseen]]) => ({
      ...{ feature, share: unseen / present, limit: MAX_UNSEEN },
      message: `more than half of the values of ${feature} were never seen in training: ${unseen.toLocaleString('en')} of ${present.toLocaleString('en')} are not among its categories`,
    }));
}

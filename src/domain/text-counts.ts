/**
 * Per text feature that has categories: how many values were not null, and how many of those are not among the
 * categories. They are counted while rows are scored, since nothing published tells an allowed unknown value from a known one.
 */
export type TextCounts = Readonly<Record<string, readonly [present: number, unseen: number]>>;

/** The counts of several attempts, together. */
export function addTextCounts(counts: readonly TextCounts[]): TextCounts {
  const sums = new Map<string, [number, number]>();
  for (const [name, [present, unseen]] of counts.flatMap((one) => Object.entries(one))) {
    const [before, unseenBefore] = sums.get(name) ?? [0, 0];
    sums.set(name, [before + present, unseenBefore + unseen]);
  }
  return Object.fromEntries(sums);
}

/**
 * Features of which more than half of the values were never seen in training, each with a sentence that has no value in it.
 *
 * Such a column holds other words for the same things (`true` for `Yes`), or another column's values: its scores would be
 * wrong, each of them within 0 to 1.
 */
export function neverSeen(counts: TextCounts): { readonly feature: string; readonly message: string }[] {
  return Object.entries(counts)
    .filter(([, [present, unseen]]) => unseen * 2 > present)
    .map(([feature, [present, unseen]]) => ({
      feature,
      message: `more than half of the values of ${feature} were never seen in training: ${unseen.toLocaleString('en')} of ${present.toLocaleString('en')} are not among its categories`,
    }));
}

/** What an item needs to know of the preceding ones. */
export interface Turn {
  /** Resolves once the work of every earlier item has ended, successfully or not. */
  readonly earlierEnded: () => Promise<void>;
}

export interface InOrderOptions<R> {
  /** Items to work on in parallel. */
  readonly atOnce: number;
  /** Whether to begin another item after this result. */
  readonly goOn: (result: R) => boolean;
}

/**
 * Works on items, beginning them in order. Work may wait for its turn: only items that have begun precede it, so the first of
 * them never waits.
 *
 * @param work never rejects
 * @returns the results of the items that were begun, in order
 */
export async function workInOrder<T, R>(
  items: readonly T[],
  { atOnce, goOn }: InOrderOptions<R>,
  work: (item: T, turn: Turn) => Promise<R>,
): Promise<R[]> {
  const results: Promise<R>[] = [];
  let begun: Promise<unknown> = Promise.resolve();
  let stopped = false;
  let next = 0;
  const lane = async (): Promise<void> => {
    while (!stopped && next < items.length) {
      const earlier = begun;
      const item = items[next] as T;
      next += 1;
      const result = work(item, { earlierEnded: async () => void (await earlier) });
      begun = Promise.all([earlier, result]);
      results.push(result);
      if (!goOn(await result)) stopped = true;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return await Promise.all(results);
}

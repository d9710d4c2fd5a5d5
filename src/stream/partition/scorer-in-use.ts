import type { Scorer } from '../scorer.ts';

/** The scorer of the next transaction; tracks uses of earlier ones. */
export interface ScorerInUse {
  readonly current: Scorer;
  /** Calls `work` with the current scorer, which stays open until `work` ends. */
  use<T>(work: (scorer: Scorer) => Promise<T>): Promise<T>;
  /** @returns once nothing uses the previous one */
  swap(scorer: Scorer): Promise<void>;
}

export function useScorer(first: Scorer): ScorerInUse {
  const users = new Map<Scorer, number>();
  const waiting = new Map<Scorer, (() => void)[]>();
  let current = first;
  return {
    get current() {
      return current;
    },
    async use(work) {
      const scorer = current;
      users.set(scorer, (users.get(scorer) ?? 0) + 1);
      try {
        return await work(scorer);
      } finally {
        const left = (users.get(scorer) ?? 1) - 1;
        if (left > 0) users.set(scorer, left);
        else {
          users.delete(scorer);
          for (const done of waiting.get(scorer) ?? []) done();
          waiting.delete(scorer);
        }
      }
    },
    swap(scorer) {
      const earlier = current;
      current = scorer;
      if (scorer === earlier || !users.has(earlier)) return Promise.resolve();
      return new Promise((done) => waiting.set(earlier, [...(waiting.get(earlier) ?? []), done]));
    },
  };
}

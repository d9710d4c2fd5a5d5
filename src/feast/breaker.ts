/** Lets no call through for a while once some have failed in a row. Then one is tried, whose end decides. */
export interface Breaker {
  /** Whether no call may be made now. */
  blocked(now: number): boolean;
  /** As `blocked`, the other way round; the caller then makes a call, and tells how it ended, or that it made none. */
  permit(now: number): boolean;
  /** @returns whether this changed what `paused` says */
  ended(ok: boolean, now: number): boolean;
  unused(): void;
  paused(): boolean;
  /** Whole seconds until a call may be made, at least 1. */
  retryAfter(now: number): number;
}

/** Times are milliseconds of one clock. */
export function createBreaker({ failures, pauseMs }: { readonly failures: number; readonly pauseMs: number }): Breaker {
  let inARow = 0;
  /** When the pause ends; undefined without one. */
  let until: number | undefined;
  let trying = false;
  const blocked = (now: number): boolean => until !== undefined && (trying || now < until);
  return {
    blocked,
    permit(now) {
      if (blocked(now)) return false;
      trying = until !== undefined;
      return true;
    },
    ended(ok, now) {
      const before = until !== undefined;
      trying = false;
      inARow = ok ? 0 : inARow + 1;
      until = ok ? undefined : inARow >= failures ? now + pauseMs : until;
      return before !== (until !== undefined);
    },
    unused() {
      trying = false;
    },
    paused: () => until !== undefined,
    retryAfter: (now) => Math.max(1, Math.ceil(((until ?? now) - now) / 1000)),
  };
}

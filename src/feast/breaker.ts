/** Circuit breaker: after several failures in a row, blocks calls for a while. Then one trial call decides. */
export interface Breaker {
  /** Whether no call may be made now. */
  blocked(now: number): boolean;
  /** The opposite of `blocked`; if true, the caller must make a call and report its end, or that it made none. */
  permit(now: number): boolean;
  /** @returns whether this changed `paused` */
  ended(ok: boolean, now: number): boolean;
  unused(): void;
  paused(): boolean;
  /** Whole seconds until a call is allowed, at least 1. */
  retryAfter(now: number): number;
}

/** All times are milliseconds of the same clock. */
export function createBreaker({ failures, pauseMs }: { readonly failures: number; readonly pauseMs: number }): Breaker {
  let inARow = 0;
  /** End of the pause; undefined if there is none. */
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

import type { FlowClock } from '../partition/ports.ts';

/** The machine's clock. */
export const CLOCK: FlowClock = {
  now: Date.now,
  elapsed: () => performance.now(),
  after(ms, then) {
    const timer = setTimeout(then, ms);
    return () => clearTimeout(timer);
  },
};

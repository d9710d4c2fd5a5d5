import { ScoreBatchError } from '../../errors.ts';
import type { FlowClock } from './ports.ts';

/** Windows shrink when events leave them or when partitions move to another process, which takes a rebalance. */
const GRACE_MS = 30_000;

export interface StateLimit {
  /** Call whenever windows may have grown or shrunk. */
  check(): void;
  stop(): void;
}

interface StateLimitOptions {
  readonly most: number;
  bytes(): number;
  readonly clock: FlowClock;
  /** Reading stops when called with true, and resumes with false. */
  pause(full: boolean, bytes: number): void;
  onFatal(error: ScoreBatchError): void;
}

/** Pauses reading while the windows of all partitions take more than `most` bytes; after a grace period the process ends. */
export function limitState({ most, bytes, clock, pause, onFatal }: StateLimitOptions): StateLimit {
  let cancel: (() => void) | undefined;
  const release = () => {
    cancel?.();
    cancel = undefined;
  };
  return {
    check() {
      const now = bytes();
      if (now <= most) {
        if (cancel !== undefined) pause(false, now);
        release();
        return;
      }
      if (cancel !== undefined) return;
      pause(true, now);
      cancel = clock.after(GRACE_MS, () => {
        if (bytes() <= most) {
          pause(false, bytes());
          release();
        } else onFatal(tooMuch(bytes(), most));
      });
    },
    stop: release,
  };
}

function tooMuch(bytes: number, most: number): ScoreBatchError {
  return new ScoreBatchError(
    'unavailable',
    `the windows of this process take ${bytes} bytes, more than limits.state (${most})`,
    {
      hint: 'raise limits.state, start another process of the group, lower limits.events_per_key, or use shorter windows',
    },
  );
}

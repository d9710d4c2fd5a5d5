import { counted, grouped } from '../../domain/counted.ts';
import type { Console } from '../../terminal/console.ts';
import type { EventRejection } from '../event.ts';
import { SESSION_MS } from '../log.ts';
import type { FlowObserver } from '../partition/ports.ts';
import type { Metrics } from './metrics.ts';

/** Logs what people should know of the flow; all else is in the metrics. */
export interface Told extends FlowObserver {
  /** The group was joined, or is about to be. */
  joining(): void;
  /** Logs what has not been logged yet. */
  end(): void;
}

/** Many rejections become one line a minute. */
const EVERY_MS = 60_000;
/** A group that has lost no member hands out partitions sooner. */
const JOINED_MS = 2000;

/** Reports the flow to the log and the metrics. */
export function tellOf(console: Pick<Console, 'info' | 'warn' | 'debug'>, metrics: Metrics | undefined): Told {
  const positions = new Map<number, number>();
  let rejected = new Map<EventRejection, number>();
  let toldAt = Number.NEGATIVE_INFINITY;
  let waiting: NodeJS.Timeout | undefined;

  function tellRejected(): void {
    if (rejected.size === 0) return;
    const reasons = [...rejected].sort(([, a], [, b]) => b - a);
    const all = reasons.reduce((sum, [, count]) => sum + count, 0);
    console.warn(
      `${counted(all, 'record')} rejected: ${reasons.map(([reason, count]) => `${grouped(count)} ${reason}`).join(', ')}`,
      {
        event: 'rejected',
        rejected: Object.fromEntries(reasons),
      },
    );
    rejected = new Map();
    toldAt = Date.now();
  }

  return {
    joining() {
      waiting = setTimeout(() => {
        console.info(
          `waiting for the group to hand out partitions: after a process was killed this takes up to ${SESSION_MS / 1000} s`,
          { event: 'joining' },
        );
      }, JOINED_MS).unref();
    },
    assigned(partition, { from, position, kept, begins }) {
      clearTimeout(waiting);
      positions.set(partition, position);
      const begin = begins ? 'the group has no committed offset, so it begins there; ' : '';
      const where = kept ? 'it was already here' : `${begin}its windows are rebuilt from offset ${from}`;
      console.info(`partition ${partition} is scored here from offset ${position} on; ${where}`, {
        ...{ event: 'assigned', partition, from, position, kept, begins },
      });
    },
    rebuilt(partition, events, ms) {
      metrics?.rebuilt(ms);
      console.info(`partition ${partition} is rebuilt: ${counted(events, 'event')} in ${(ms / 1000).toFixed(1)} s`, {
        ...{ event: 'rebuilt', partition, events, ms },
      });
    },
    revoked(partition) {
      const position = positions.get(partition);
      positions.delete(partition);
      const where = position === undefined ? '' : `; its next offset is ${position}`;
      console.info(`partition ${partition} is no longer scored here${where}`, {
        ...{ event: 'revoked', partition, position: position ?? null },
      });
    },
    read(_partition, records) {
      metrics?.read(records);
    },
    committed(partition, facts) {
      positions.set(partition, facts.position);
      metrics?.committed(facts);
      for (const [reason, count] of facts.rejected) rejected.set(reason, (rejected.get(reason) ?? 0) + count);
      if (rejected.size > 0 && Date.now() - toldAt >= EVERY_MS) tellRejected();
    },
    restarting(partition, why, ms) {
      metrics?.restarted();
      console.warn(`partition ${partition} will be reopened in ${ms} ms: ${why.message}`, {
        ...{ event: 'restarting', partition, reason: why.name },
      });
    },
    statePaused(bytes) {
      console.warn(`reading is paused: windows take ${grouped(bytes)} bytes, more than limits.state`, {
        ...{ event: 'state', bytes },
      });
    },
    end() {
      clearTimeout(waiting);
      tellRejected();
    },
  };
}

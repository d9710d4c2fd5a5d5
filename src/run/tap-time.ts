import type { WorkerTime } from '../domain/worker-time.ts';
import type { Worked } from '../tap/messages.ts';

/**
 * How the scoring workers spent the stage. Waiting for rows counts as `read`, because the query is then the bottleneck.
 *
 * @param seconds wall-clock seconds of the stage
 * @param mainThread seconds in which this thread was busy
 */
export function tapTime(worked: readonly Worked[], seconds: number, mainThread: number): WorkerTime {
  const sum = (of: (worker: Worked) => number) => worked.reduce((total, worker) => total + of(worker), 0);
  const spent = {
    start: sum((worker) => worker.seconds.start),
    read: sum((worker) => worker.seconds.wait),
    encode: sum((worker) => worker.seconds.encode),
    model: sum((worker) => worker.seconds.score),
    write: sum((worker) => worker.seconds.write),
    stage: 0,
  };
  const counted = Object.values(spent).reduce((total, part) => total + part, 0);
  return {
    workers: worked.length,
    rows: sum(({ rows }) => rows),
    seconds: { ...spent, wait: Math.max(0, seconds * worked.length - counted) },
    main_thread: mainThread,
  };
}

import { grouped } from '../../domain/counted.ts';
import type { ModelRun } from '../../model/model-run.ts';
import type { Predictions } from '../../model/predictions.ts';
import { partOf } from '../../model/predictions.ts';
import { ServeFailure } from '../failure.ts';
import type { ScoreRequest } from '../online-model.ts';
import { failureOf } from './failures.ts';
import { createRate } from './rate.ts';

/** Requests that wait for a run of the model, in order of arrival. */
export interface Queue {
  /** Waiting rows. */
  rows(): number;
  /** @throws ServeFailure `busy`, `late`, `gone`, `unavailable` once it is closed, or `internal` */
  add(request: ScoreRequest): Promise<Predictions>;
  /** Refuses all waiting requests, and returns once the run in progress is answered. */
  close(): Promise<void>;
}

export interface QueueOptions {
  readonly run: ModelRun['run'];
  /** Most rows per run shared by several requests. A larger request runs alone. */
  readonly runRows: number;
  /** Most waiting rows. A request that finds no other one waiting is accepted whatever its size. */
  readonly queuedRows: number;
  /** Most milliseconds that a request waits for others while no run is in progress. */
  readonly maxDelayMs: number;
  /** Assumed until runs have been measured. */
  readonly secondsPerRow: number;
}

interface Waiting extends ScoreRequest {
  readonly arrived: number;
  readonly resolve: (predictions: Predictions) => void;
  readonly reject: (failure: ServeFailure) => void;
}

/**
 * Requests that arrive in the same turn of the event loop, or during a run, share the next run. No request has its own timer or
 * listener: before each run the queue checks whether somebody still waits, and no run lasts long.
 */
export function createQueue({ run, runRows, queuedRows, maxDelayMs, secondsPerRow }: QueueOptions): Queue {
  const waiting: Waiting[] = [];
  const rate = createRate(secondsPerRow);
  let rows = 0;
  /** Earliest deadline of the waiting requests. */
  let soonest = Number.POSITIVE_INFINITY;
  let closed = false;
  let working: Promise<void> | undefined;
  let immediate: NodeJS.Immediate | undefined;
  let timer: NodeJS.Timeout | undefined;

  /** Schedules a run for the end of this turn, or for when the first request has waited long enough. */
  function plan(): void {
    if (working !== undefined || immediate !== undefined || waiting.length === 0) return;
    const delay = delayLeft();
    if (delay > 0) {
      timer ??= setTimeout(begin, delay);
    } else {
      clearTimeout(timer);
      timer = undefined;
      immediate = setImmediate(begin);
    }
  }

  function delayLeft(): number {
    if (maxDelayMs === 0 || rows >= runRows) return 0;
    const end = (waiting[0]?.arrived ?? 0) + maxDelayMs;
    // Run at once if a deadline would pass first.
    return soonest <= end ? 0 : Math.max(0, end - performance.now());
  }

  function begin(): void {
    immediate = undefined;
    timer = undefined;
    working = work().then(() => {
      working = undefined;
      plan();
    });
  }

  async function work(): Promise<void> {
    do {
      dropUnwanted();
      const taken = take();
      if (taken.length === 0) break;
      const start = performance.now();
      await answer(taken);
      rate.add(rowsOf(taken), (performance.now() - start) / 1000);
      // The runtime yields to the event loop once per run, so requests have arrived meanwhile.
    } while (waiting.length > 0 && delayLeft() === 0);
  }

  function dropUnwanted(): void {
    const now = performance.now();
    let kept = 0;
    for (const one of waiting) {
      const failure = unwanted(one, now);
      if (failure === undefined) {
        waiting[kept] = one;
        kept += 1;
      } else {
        rows -= one.batch.rows;
        one.reject(failure);
      }
    }
    waiting.length = kept;
  }

  function take(): Waiting[] {
    let count = 0;
    let taken = 0;
    for (const { batch } of waiting) {
      if (count > 0 && taken + batch.rows > runRows) break;
      count += 1;
      taken += batch.rows;
    }
    rows -= taken;
    const requests = waiting.splice(0, count);
    soonest = waiting.reduce((first, { deadline = first }) => Math.min(first, deadline), Number.POSITIVE_INFINITY);
    return requests;
  }

  /** Splits a failed run in halves and runs them again, until the request that fails is found. */
  async function answer(taken: readonly Waiting[]): Promise<void> {
    try {
      const whole = await run(taken.map(({ batch }) => batch));
      let from = 0;
      for (const { batch, resolve } of taken) {
        resolve(partOf(whole, from, batch.rows));
        from += batch.rows;
      }
    } catch (error) {
      if (taken.length === 1) taken[0]?.reject(failureOf(error));
      else {
        const half = Math.ceil(taken.length / 2);
        await answer(taken.slice(0, half));
        await answer(taken.slice(half));
      }
    }
  }

  return {
    rows: () => rows,
    add(request) {
      return new Promise((resolve, reject) => {
        const { batch, deadline, signal } = request;
        const arrived = performance.now();
        if (closed) throw new ServeFailure('unavailable', 'the model is being closed');
        const failure = unwanted(request, arrived);
        if (failure !== undefined) throw failure;
        if (rows > 0 && rows + batch.rows > queuedRows) {
          throw new ServeFailure('busy', `${grouped(rows)} rows are already waiting for the model`, {
            hint: 'send the request again later',
            retryAfter: rate.seconds(rows),
          });
        }
        waiting.push({
          batch,
          ...(deadline !== undefined && { deadline }),
          ...(signal && { signal }),
          arrived,
          resolve,
          reject,
        });
        rows += batch.rows;
        if (deadline !== undefined && deadline < soonest) soonest = deadline;
        plan();
      });
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      clearImmediate(immediate);
      for (const { reject } of waiting.splice(0)) reject(new ServeFailure('unavailable', 'the model is being closed'));
      rows = 0;
      await working;
    },
  };
}

function unwanted({ deadline, signal }: Pick<ScoreRequest, 'deadline' | 'signal'>, now: number): ServeFailure | undefined {
  // Past its deadline, nobody waits for a request, either.
  if (deadline !== undefined && deadline <= now)
    return new ServeFailure('late', 'the deadline passed before the model was free');
  if (signal?.aborted) return new ServeFailure('gone', 'the client no longer waits for the answer');
  return undefined;
}

function rowsOf(requests: readonly ScoreRequest[]): number {
  return requests.reduce((sum, { batch }) => sum + batch.rows, 0);
}

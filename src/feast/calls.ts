import { grouped } from '../domain/counted.ts';
import { ServeFailure } from '../serve/failure.ts';
import type { FeatureStore, KeyValue, LookupEvents, LookupRequest } from '../serve/feature-lookup.ts';
import { type Answer, readAnswer } from './answer.ts';
import { createBreaker } from './breaker.ts';
import type { FeastClient } from './client.ts';
import { FeastProblem } from './problem.ts';

/** Rows of a request in an answer that others share: row `i` is entity `at[i]`. */
export interface Found {
  readonly answer: Answer;
  readonly at: readonly number[];
}

/** Requests that wait for a call, in the order in which they came. */
export interface Calls {
  /** @throws ServeFailure `unavailable` with the seconds after which it may succeed, `busy`, `late` or `gone` */
  add(request: LookupRequest): Promise<Found>;
  paused(): boolean;
}

export interface CallOptions {
  readonly store: FeatureStore;
  readonly client: Pick<FeastClient, 'ask'>;
  /** Most rows that requests which share a call have together. A larger request has a call of its own. */
  readonly sharedRows: number;
  /** Most rows that wait. */
  readonly queuedRows: number;
  readonly events: LookupEvents;
}

interface Waiting extends LookupRequest {
  readonly arrived: number;
  readonly resolve: (found: Found) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Requests that arrive in the same turn of the event loop, or while all calls are in use, share the next call, in which each entity
 * stands once.
 */
export function createCalls({ store, client, sharedRows, queuedRows, events }: CallOptions): Calls {
  const waiting: Waiting[] = [];
  const breaker = createBreaker(store);
  let rows = 0;
  let calling = 0;
  let immediate: NodeJS.Immediate | undefined;

  function plan(): void {
    if (immediate !== undefined || waiting.length === 0 || calling >= store.concurrency) return;
    immediate = setImmediate(() => {
      immediate = undefined;
      const taken = take();
      if (taken.length > 0) {
        calling += 1;
        void call(taken).finally(() => {
          calling -= 1;
          plan();
        });
      }
      plan();
    });
  }

  /** The next requests that somebody still waits for. */
  function take(): Waiting[] {
    const now = performance.now();
    const taken: Waiting[] = [];
    let taking = 0;
    while (waiting[0] !== undefined) {
      const [one] = waiting;
      if (taken.length > 0 && taking + one.keys.length > sharedRows) break;
      waiting.shift();
      rows -= one.keys.length;
      const failure = unwanted(one, now) ?? (now - one.arrived > store.timeoutMs ? refusal() : undefined);
      if (failure !== undefined) one.reject(failure);
      else {
        taken.push(one);
        taking += one.keys.length;
      }
    }
    return taken;
  }

  /** Where Feast refuses a call that several share, one of them may be why: it is called again in halves. */
  async function call(taken: readonly Waiting[]): Promise<void> {
    const { entities, places } = distinct(store.entities, taken);
    const begun = performance.now();
    if (!breaker.permit(begun)) {
      for (const { reject } of taken) reject(refusal());
      return;
    }
    try {
      const answer = readAnswer(await client.ask(entities), entities.values().next().value?.length ?? 0);
      ended('ok', begun);
      for (const [i, { resolve }] of taken.entries()) resolve({ answer, at: places[i] ?? [] });
    } catch (error) {
      if (!(error instanceof FeastProblem)) {
        ended('invalid', begun);
        for (const { reject } of taken) reject(error as Error);
        return;
      }
      ended(error.kind, begun, error.message);
      if (taken.length > 1 && isAboutKeys(error)) {
        const half = Math.ceil(taken.length / 2);
        await call(taken.slice(0, half));
        await call(taken.slice(half));
      } else for (const { reject } of taken) reject(refusal(error));
    }
  }

  function ended(outcome: string, begun: number, why = ''): void {
    const now = performance.now();
    events.called?.(outcome, (now - begun) / 1000);
    if (!breaker.ended(outcome === 'ok', now)) return;
    events.pausing?.(breaker.paused(), why);
    // Who waits now would only wait for the next failure.
    if (breaker.paused()) for (const { reject } of waiting.splice(0)) reject(refusal());
    rows = waiting.reduce((sum, { keys }) => sum + keys.length, 0);
  }

  function refusal(cause?: FeastProblem): ServeFailure {
    return new ServeFailure('unavailable', 'features could not be looked up', {
      hint: cause === undefined ? 'the feature store does not answer at present' : `the feature store: ${cause.message}`,
      retryAfter: breaker.retryAfter(performance.now()),
    });
  }

  return {
    paused: breaker.paused,
    add(request) {
      return new Promise((resolve, reject) => {
        const now = performance.now();
        const failure = unwanted(request, now) ?? (breaker.blocked(now) ? refusal() : undefined);
        if (failure !== undefined) throw failure;
        if (rows > 0 && rows + request.keys.length > queuedRows) {
          throw new ServeFailure('busy', `${grouped(rows)} rows are waiting for their features already`, {
            hint: 'send the request again later',
            retryAfter: 1,
          });
        }
        waiting.push({ ...request, arrived: now, resolve, reject });
        rows += request.keys.length;
        plan();
      });
    },
  };
}

/** What Feast answers to a key that it cannot read. A proxy answers 502 to 504 for a server that is gone. */
function isAboutKeys({ status = 0 }: FeastProblem): boolean {
  return status === 400 || status === 422 || status === 500;
}

/** Each entity once, column by column, and which of them each row of each request is. */
function distinct(names: readonly string[], requests: readonly LookupRequest[]) {
  const entities = new Map(names.map((name) => [name, [] as KeyValue[]]));
  const known = new Map<string, number>();
  const places = requests.map(({ keys }) =>
    keys.map((row) => {
      const text = JSON.stringify(row.map((value) => (typeof value === 'bigint' ? { n: String(value) } : value)));
      const found = known.get(text);
      if (found !== undefined) return found;
      const at = known.size;
      known.set(text, at);
      for (const [i, name] of names.entries()) entities.get(name)?.push(row[i] as KeyValue);
      return at;
    }),
  );
  return { entities, places };
}

function unwanted({ deadline, signal }: LookupRequest, now: number): ServeFailure | undefined {
  if (deadline !== undefined && deadline <= now)
    return new ServeFailure('late', 'the deadline passed before the features came');
  return signal?.aborted ? new ServeFailure('gone', 'nobody waits for the answer') : undefined;
}

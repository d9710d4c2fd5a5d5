import { grouped } from '../domain/counted.ts';
import { ServeFailure } from '../serve/failure.ts';
import type { FeatureStore, KeyValue, LookupEvents, LookupRequest } from '../serve/feature-lookup.ts';
import { type Answer, checkEntities, readAnswer } from './answer.ts';
import { createBreaker } from './breaker.ts';
import type { FeastClient } from './client.ts';
import { FeastProblem } from './problem.ts';

/** A request's consecutive rows in a shared answer: the `i`th row is entity `at[i]`. */
export interface Found {
  readonly answer: Answer;
  readonly at: readonly number[];
}

/** Requests that wait for a call, in order of arrival. */
export interface Calls {
  /**
   * The rows of the request in order, from as many calls as needed.
   *
   * @throws ServeFailure `unavailable` with the seconds after which a retry may succeed, `busy`, `late` or `gone`
   */
  add(request: LookupRequest): Promise<readonly Found[]>;
  paused(): boolean;
}

export interface CallOptions {
  readonly store: FeatureStore;
  readonly client: Pick<FeastClient, 'ask'>;
  /** Whether Feast answers for the key that it answered for at the start. */
  readonly answersAtAll: () => Promise<boolean>;
  /** Most total rows of requests that share a call. */
  readonly sharedRows: number;
  /** Most waiting rows. */
  readonly queuedRows: number;
  readonly events: LookupEvents;
}

/** A request, or part of one that needs several calls. */
interface Waiting extends LookupRequest {
  readonly arrived: number;
  readonly resolve: (found: readonly Found[]) => void;
  readonly reject: (error: Error) => void;
}

/** A call, including the smaller calls that replace it if Feast refuses it. */
interface Attempt {
  /** Whether it is the trial call after a pause. */
  readonly trial: boolean;
  answered: boolean;
  /** Calls that failed and were not halved. */
  failed: number;
  /** How many of these may have failed because of a key. */
  refused: number;
}

/**
 * Requests that arrive in the same turn of the event loop, or while all calls are in use, share the next call, which contains
 * each entity once.
 */
export function createCalls({ store, client, answersAtAll, sharedRows, queuedRows, events }: CallOptions): Calls {
  const waiting: Waiting[] = [];
  const breaker = createBreaker(store);
  const callRows = Math.min(sharedRows, store.callEntities);
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
        void attempt(taken).finally(() => {
          calling -= 1;
          plan();
        });
      }
      plan();
    });
  }

  /** The next requests that are still wanted. */
  function take(): Waiting[] {
    const now = performance.now();
    const taken: Waiting[] = [];
    let taking = 0;
    while (waiting[0] !== undefined) {
      const [one] = waiting;
      if (taken.length > 0 && taking + one.keys.length > callRows) break;
      waiting.shift();
      rows -= one.keys.length;
      if (drop(one, now)) continue;
      taken.push(one);
      taking += one.keys.length;
    }
    return taken;
  }

  /** Rejects a request that nobody waits for, or that has waited too long. */
  function drop(one: Waiting, now: number): boolean {
    const failure = unwanted(one, now) ?? (now - one.arrived > store.timeoutMs ? refusal() : undefined);
    if (failure !== undefined) one.reject(failure);
    return failure !== undefined;
  }

  /** Counts as failed only if neither any part of it nor another key was answered: then the fault is Feast's, not a key's. */
  async function attempt(taken: readonly Waiting[]): Promise<void> {
    if (!breaker.permit(performance.now())) {
      for (const { reject } of taken) reject(refusal());
      return;
    }
    const current: Attempt = { trial: breaker.paused(), answered: false, failed: 0, refused: 0 };
    const why = await call(taken, current);
    if (current.answered) return;
    if (current.failed > 0 && current.refused === current.failed && (await answersAtAll())) return answered(current);
    for (let i = 0; i < current.failed; i += 1) ended(false, why);
    // No call was made because nobody waited any more: that says nothing about Feast.
    if (current.failed === 0) breaker.unused();
  }

  /**
   * Makes a call, and retries it in halves if one of the requests that share it may be at fault, or the answer is too large.
   *
   * @returns why the last call failed
   */
  async function call(all: readonly Waiting[], current: Attempt): Promise<string> {
    const begun = performance.now();
    const taken = all.filter((one) => !drop(one, begun));
    if (taken.length === 0) return '';
    const hopeless = !current.answered && current.failed >= store.failures;
    if (hopeless || (!current.trial && breaker.blocked(begun))) {
      for (const { reject } of taken) reject(refusal());
      return '';
    }
    const { entities, places } = distinct(store.entities, taken);
    const seconds = () => (performance.now() - begun) / 1000;
    try {
      const answer = readAnswer(await client.ask(entities), entities.values().next().value?.length ?? 0);
      checkEntities(answer, entities);
      events.called?.('ok', seconds());
      answered(current);
      for (const [i, { resolve }] of taken.entries()) resolve([{ answer, at: places[i] ?? [] }]);
      return '';
    } catch (error) {
      if (!(error instanceof FeastProblem)) {
        events.called?.('invalid', seconds());
        current.failed += 1;
        for (const { reject } of taken) reject(error as Error);
        return '';
      }
      events.called?.(error.kind, seconds());
      const again = halves(taken, error);
      if (again !== undefined) {
        const whys = [await call(again[0], current), await call(again[1], current)];
        return whys.findLast((why) => why !== '') ?? '';
      }
      if (error.status === 400 || error.status === 422) answered(current);
      else {
        current.failed += 1;
        if (isAboutKeys(error)) current.refused += 1;
      }
      for (const { reject } of taken) reject(refusal(error));
      return error.message;
    }
  }

  /** Feast answered, even if only to reject a key. */
  function answered(current: Attempt): void {
    current.answered = true;
    ended(true);
  }

  function ended(ok: boolean, why = ''): void {
    if (!breaker.ended(ok, performance.now())) return;
    events.pausing?.(breaker.paused(), why);
    // Waiting requests would only meet the next failure.
    if (breaker.paused()) for (const { reject } of waiting.splice(0)) reject(refusal());
    rows = waiting.reduce((sum, { keys }) => sum + keys.length, 0);
  }

  function refusal(cause?: FeastProblem): ServeFailure {
    return new ServeFailure('unavailable', 'features could not be looked up', {
      hint:
        cause === undefined
          ? 'the feature store does not respond: send the request again later'
          : `the feature store failed: ${cause.message}`,
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
          throw new ServeFailure('busy', `${grouped(rows)} rows are already waiting for their features`, {
            hint: 'send the request again later',
            retryAfter: 1,
          });
        }
        waiting.push(...parts({ ...request, arrived: now, resolve, reject }, store.callEntities));
        rows += request.keys.length;
        plan();
      });
    },
  };
}

/** What to call instead of a failed call; undefined if smaller calls would fail, too. */
function halves(taken: readonly Waiting[], problem: FeastProblem): readonly [Waiting[], Waiting[]] | undefined {
  const tooLarge = problem.kind === 'too large';
  if (!tooLarge && !isAboutKeys(problem)) return undefined;
  const [one] = taken;
  // A request with a refused key fails as a whole.
  const several = taken.length === 1 && one !== undefined && tooLarge ? parts(one, Math.ceil(one.keys.length / 2)) : taken;
  const half = Math.ceil(several.length / 2);
  return several.length > 1 ? [several.slice(0, half), several.slice(half)] : undefined;
}

/** Statuses with which Feast answers a key that it cannot read. For a dead server, a proxy answers 502 to 504. */
function isAboutKeys({ status = 0 }: FeastProblem): boolean {
  return status === 400 || status === 422 || status === 500;
}

/** Splits a request into parts of at most `most` rows. If one fails, the others are abandoned. */
function parts(whole: Waiting, most: number): readonly Waiting[] {
  const { keys, signal, resolve, reject } = whole;
  if (keys.length <= most) return [whole];
  const stop = new AbortController();
  const stopped = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const made: Waiting[] = [];
  const found = Array.from({ length: Math.ceil(keys.length / most) }, (_, i) => {
    const part = { ...whole, keys: keys.slice(i * most, (i + 1) * most), signal: stopped };
    return new Promise<readonly Found[]>((done, fail) => {
      made.push({ ...part, resolve: done, reject: fail });
    });
  });
  Promise.all(found).then(
    (all) => resolve(all.flat()),
    (error) => {
      stop.abort();
      reject(error);
    },
  );
  return made;
}

/** Each entity once, column by column, and the entity of each row of each request. */
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
    return new ServeFailure('late', 'the deadline passed before the features arrived');
  return signal?.aborted ? new ServeFailure('gone', 'the client no longer waits for the answer') : undefined;
}

import { featuresOf, type Signature } from '../domain/signature.ts';
import { ScoreBatchError } from '../errors.ts';
import { ServeFailure } from '../serve/failure.ts';
import {
  type FeatureLookup,
  type FeatureStore,
  type LookupEvents,
  type LookupKey,
  NULL_REASONS,
  type NullReason,
  type StoredValue,
} from '../serve/feature-lookup.ts';
import { type Answer, readAnswer } from './answer.ts';
import { type Calls, createCalls, type Found } from './calls.ts';
import { createClient, type FeastClient } from './client.ts';
import { mapFeatures } from './mapping.ts';
import { FeastProblem } from './problem.ts';
import { nullReason, storedValue, WANTED } from './stored-value.ts';

/** Entity to request at the start, and to test whether a key is why Feast fails. Feast reads it as a string or an integer. */
const MADE_UP = '0';

interface LookupOptions {
  readonly store: FeatureStore;
  readonly signature: Signature;
  /** Most rows per shared call, most waiting rows, and most characters of a string. */
  readonly sharedRows: number;
  readonly queuedRows: number;
  readonly text: number;
  readonly events?: LookupEvents;
}

/**
 * Calls Feast once, and refuses what cannot work.
 *
 * @throws ScoreBatchError `configuration` if Feast refuses the service or entity, or the service lacks a feature; `permission`;
 * `unavailable` if it does not answer
 */
export async function openFeastLookup({ events = {}, ...options }: LookupOptions): Promise<FeatureLookup> {
  const { store, signature, sharedRows, queuedRows } = options;
  const client = createClient(store);
  const what = `the feature service ${store.service}`;
  let answer: Answer;
  try {
    answer = await firstAnswer(client, store, what);
  } catch (error) {
    client.close();
    throw error;
  }
  const { entities, request } = store;
  const keys = entities.map((name) => ({ name, kind: kindOf(answer.get(name)?.values[0]) }));
  const features = featuresOf(signature);
  const names = mapFeatures(
    features.map(({ feature }) => feature.name),
    { answer, entities, request, what },
  );
  const answersAtAll = () =>
    askMadeUp(client, store).then(
      () => true,
      () => false,
    );
  const calls = createCalls({ store, client, answersAtAll, sharedRows, queuedRows, events });
  return lookup({ ...options, events, calls, keys, names, close: client.close });
}

async function askMadeUp(client: FeastClient, { entities }: FeatureStore): Promise<Answer> {
  return readAnswer(await client.ask(new Map(entities.map((name) => [name, [MADE_UP]]))), 1);
}

async function firstAnswer(client: FeastClient, store: FeatureStore, what: string): Promise<Answer> {
  const { server, entities } = store;
  try {
    const answer = await askMadeUp(client, store);
    const unknown = entities.filter((name) => !answer.has(name));
    if (unknown.length === 0) return answer;
    // Feast ignores entities that it does not need.
    throw new ScoreBatchError('configuration', `${unknown[0]} is not a join key of ${what}`, {
      hint: 'list the join keys of the service after ?entity=, not the names of entities: see `feast entities list` and the definition of each entity',
    });
  } catch (error) {
    if (!(error instanceof FeastProblem)) throw error;
    throw startError(error, server, what);
  }
}

/** Only a server that is down or not ready may be available later. */
function startError({ kind, status = 0, message, detail }: FeastProblem, server: string, what: string): ScoreBatchError {
  const details = detail === undefined || detail === '' ? [] : [`Feast says: ${detail}`];
  if (status === 401 || status === 403) {
    return new ScoreBatchError('permission', `Feast at ${server} denies access to ${what}: ${message}`, {
      details,
      hint: 'set SCORE_BATCH_FEAST_TOKEN to a token that may read the service',
    });
  }
  if (kind === 'timeout' || kind === 'unreachable' || (status >= 502 && status <= 504) || status === 429) {
    return new ScoreBatchError('unavailable', `Feast at ${server} does not answer: ${message}`, {
      hint: 'start it with `feast serve`, or raise features.timeout',
    });
  }
  if (kind === 'invalid' || kind === 'too large') {
    return new ScoreBatchError('configuration', `${server} does not answer like Feast: ${message}`, {
      hint: 'use the address of the HTTP feature server that `feast serve` starts',
    });
  }
  return new ScoreBatchError('configuration', `Feast at ${server} refuses ${what} with these join keys: ${message}`, {
    details,
    hint: 'check the name of the service, and that ?entity= lists all join keys of its views',
  });
}

function kindOf(echo: unknown): LookupKey['kind'] {
  return typeof echo === 'string' ? 'text' : typeof echo === 'number' ? 'integer' : 'any';
}

interface Opened extends LookupOptions {
  readonly events: LookupEvents;
  readonly calls: Calls;
  readonly keys: readonly LookupKey[];
  /** Name of each feature in answers. */
  readonly names: readonly (string | undefined)[];
  readonly close: () => void;
}

function lookup({ store, signature, text, events, calls, keys, names, close }: Opened): FeatureLookup {
  const features = featuresOf(signature);

  function read(found: readonly Found[]): ReadonlyMap<number, readonly StoredValue[]> {
    const fresh = { maxAgeMs: store.maxAgeMs, now: Date.now() };
    const nulls = new Map<NullReason, number>();
    const columns = new Map<number, readonly StoredValue[]>();
    for (const [position, { feature, dtype }] of features.entries()) {
      const name = names[position];
      if (name === undefined) continue;
      const values = found.flatMap(({ answer, at }) => {
        const column = answer.get(name);
        if (column === undefined) throw unusable(`no longer has ${name}`);
        return at.map((entity) => {
          const reason = nullReason(column, entity, fresh);
          if (reason !== undefined) {
            nulls.set(reason, (nulls.get(reason) ?? 0) + 1);
            return null;
          }
          const value = storedValue(column.values[entity], dtype, text);
          if (value === undefined) throw unusable(`has a ${name} that is not ${WANTED[dtype]}, as ${feature.name} must be`);
          return value;
        });
      });
      columns.set(position, values);
    }
    for (const reason of NULL_REASONS) {
      const count = nulls.get(reason);
      if (count !== undefined) events.nulls?.(reason, count);
    }
    return columns;
  }

  function unusable(why: string): ServeFailure {
    return new ServeFailure('unavailable', 'features could not be looked up', {
      hint: `the feature service ${store.service} ${why}`,
      retryAfter: Math.max(1, Math.ceil(store.pauseMs / 1000)),
    });
  }

  return {
    keys,
    stored: names.map((name) => name !== undefined),
    find: async (request) => read(await calls.add(request)),
    paused: calls.paused,
    close,
  };
}

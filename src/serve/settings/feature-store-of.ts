import { ScoreBatchError } from '../../errors.ts';
import { registerSecret } from '../../secrets.ts';
import type { FeatureStore } from '../feature-lookup.ts';
import { FEAST_FORM, parseFeastUrl } from './feast-url.ts';
import type { ServeFile } from './schema.ts';

/** Environment variable with the bearer token. */
const TOKEN = 'SCORE_BATCH_FEAST_TOKEN';

/**
 * The store that the settings name, with the token from the environment. @throws ScoreBatchError `configuration` for an empty
 * token
 */
export function featureStoreOf(given: ServeFile['features'], environment: NodeJS.ProcessEnv): FeatureStore | undefined {
  if (given === undefined) return undefined;
  const { from, request, max_age, timeout, concurrency, entities, answer, failures, pause } =
    typeof given === 'string' ? { from: given, ...NOTHING } : { ...NOTHING, ...given };
  const url = parseFeastUrl(from);
  const token = environment[TOKEN]?.trim();
  if (url === undefined) throw new ScoreBatchError('configuration', `features: ${FEAST_FORM}`);
  if (token === '') {
    throw new ScoreBatchError('configuration', `${TOKEN} is set but empty`, { hint: 'set it to a token, or unset it' });
  }
  registerSecret(token);
  return {
    ...url,
    request: request ?? [],
    maxAgeMs: max_age,
    timeoutMs: timeout ?? 1000,
    concurrency: concurrency ?? 4,
    callEntities: entities ?? 500,
    answerBytes: answer ?? 2 ** 24,
    failures: failures ?? 5,
    pauseMs: pause ?? 5000,
    token,
  };
}

/** Keys that the short form, a URL alone, leaves out. */
const NOTHING = {
  request: undefined,
  max_age: undefined,
  timeout: undefined,
  concurrency: undefined,
  entities: undefined,
  answer: undefined,
  failures: undefined,
  pause: undefined,
};

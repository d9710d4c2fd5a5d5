import type { FeatureStore } from '../../src/serve/feature-lookup.ts';

/** Settings of a server of Feast for the model `mixed`, quick to give up. */
export function storeOf(server: string, overrides: Partial<FeatureStore> = {}): FeatureStore {
  return {
    server,
    service: 'mixed_v1',
    entities: ['user_id'],
    request: [],
    maxAgeMs: undefined,
    timeoutMs: 300,
    concurrency: 1,
    callEntities: 500,
    answerBytes: 2 ** 20,
    failures: 3,
    pauseMs: 400,
    token: undefined,
    ...overrides,
  };
}

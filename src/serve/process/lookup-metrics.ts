import type { LookupEvents } from '../feature-lookup.ts';
import type { OnlineModel } from '../online-model.ts';

type Client = typeof import('prom-client');

const SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];

/** Lookup counts, created only if features are looked up. */
export interface LookupMetrics {
  called(model: OnlineModel, ...call: Parameters<NonNullable<LookupEvents['called']>>): void;
  nulls(model: OnlineModel, ...nulls: Parameters<NonNullable<LookupEvents['nulls']>>): void;
}

/** @param models asked at each scrape whether their lookups are paused */
export function createLookupMetrics(
  client: Client,
  registers: InstanceType<Client['Registry']>[],
  models: () => readonly OnlineModel[],
): LookupMetrics {
  const seconds = new client.Histogram({
    name: 'score_batch_serve_feast_seconds',
    help: 'Duration of a call to Feast, which several requests may share; outcome is ok, or how it failed',
    labelNames: ['model', 'version', 'outcome'],
    buckets: SECONDS,
    registers,
  });
  const nulls = new client.Counter({
    name: 'score_batch_serve_feast_nulls_total',
    help: 'Looked-up values that are null, by reason',
    labelNames: ['model', 'version', 'reason'],
    registers,
  });
  new client.Gauge({
    name: 'score_batch_serve_feast_paused',
    help: 'Processes that have paused calls to Feast because calls failed',
    labelNames: ['model', 'version'],
    registers,
    collect() {
      for (const { name, version, features } of models()) this.set({ model: name, version }, features?.paused() ? 1 : 0);
    },
  });
  return {
    called: ({ name, version }, outcome, took) => seconds.observe({ model: name, version, outcome }, took),
    nulls: ({ name, version }, reason, count) => nulls.inc({ model: name, version, reason }, count),
  };
}

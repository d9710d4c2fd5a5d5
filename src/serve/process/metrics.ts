import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { ScoreBatchError } from '../../errors.ts';
import { readRejection } from '../../features/rejection.ts';
import type { OnlineModel } from '../online-model.ts';
import type { MetricsText, Observation } from '../service.ts';
import { createLookupMetrics, type LookupMetrics } from './lookup-metrics.ts';
import type { Metric } from './metric.ts';
import type { Served } from './models.ts';

/** Metrics of one process. */
export interface Metrics {
  observe(observation: Observation): void;
  /** A run of the model, for all requests that share it. */
  run(model: OnlineModel, rows: number): void;
  /** Lookup counts. Call once, if features are looked up. */
  lookups(models: () => readonly OnlineModel[]): LookupMetrics;
  /** Sets the source of values that are read at each scrape, such as waiting rows. */
  watch(served: readonly Served[]): void;
  /** All metrics of this process, to send to others. */
  collect(): Promise<Metric[]>;
  /** The metrics of several processes as one text. */
  text(processes: readonly (readonly Metric[])[]): Promise<MetricsText>;
}

const SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
const ROWS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 16_384];

/** Milliseconds between two samples of the event loop. */
const RESOLUTION = 10;

/** No label comes from a request: each unknown name would create a series. */
export async function createMetrics(): Promise<Metrics> {
  const client = await load();
  const registry = new client.Registry();
  const registers = [registry];
  const seconds = new client.Histogram({
    name: 'score_batch_serve_request_seconds',
    help: 'Time from a request to its answer; outcome is ok, or why it was not answered',
    labelNames: ['protocol', 'model', 'version', 'outcome'],
    buckets: SECONDS,
    registers,
  });
  const rows = new client.Counter({
    name: 'score_batch_serve_rows_total',
    help: 'Rows that were scored or rejected',
    labelNames: ['protocol', 'model', 'version'],
    registers,
  });
  const rejected = new client.Counter({
    name: 'score_batch_serve_rejected_rows_total',
    help: 'Rows that were rejected, by reason',
    labelNames: ['model', 'version', 'reason'],
    registers,
  });
  const runs = new client.Histogram({
    name: 'score_batch_serve_run_rows',
    help: 'Rows per run of the model, which several requests may share',
    labelNames: ['model', 'version'],
    buckets: ROWS,
    registers,
  });
  const lag = monitorEventLoopDelay({ resolution: RESOLUTION });
  lag.enable();
  new client.Gauge({
    name: 'score_batch_serve_event_loop_lag_seconds',
    help: 'Event-loop lag since the last scrape: 99th percentile, worst process',
    aggregator: 'max',
    registers,
    collect() {
      this.set(lagOf(lag));
      lag.reset();
    },
  });
  new client.Gauge({
    name: 'score_batch_serve_resident_memory_bytes',
    help: 'Memory of the processes that answer requests',
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  return {
    observe({ protocol, model, outcome, rows: count, rejected: codes, seconds: took }) {
      const names = namesOf(model);
      seconds.observe({ protocol, ...names, outcome }, took);
      if (codes === undefined) return;
      rows.inc({ protocol, ...names }, count);
      for (const code of codes) if (code !== 0) rejected.inc({ ...names, reason: readRejection(code).reason });
    },
    run(model, count) {
      runs.observe(namesOf(model), count);
    },
    lookups: (models) => createLookupMetrics(client, registers, models),
    watch(served) {
      new client.Gauge({
        name: 'score_batch_serve_queued_rows',
        help: 'Rows waiting for the model',
        labelNames: ['model', 'version'],
        registers,
        collect() {
          for (const { model } of served) this.set(namesOf(model), model.queuedRows());
        },
      });
      const info = new client.Gauge({
        name: 'score_batch_serve_model_info',
        help: 'Models that are served; same_bits says whether a row gets the same bits in every batch',
        labelNames: ['model', 'version', 'digest', 'same_bits', 'canary_percent'],
        aggregator: 'first',
        registers,
      });
      for (const { model, canary = '' } of served) {
        info.set({ ...namesOf(model), digest: model.digest, same_bits: String(model.sameBits), canary_percent: canary }, 1);
      }
    },
    collect: async () => (await registry.getMetricsAsJSON()) as unknown as Metric[],
    async text(processes) {
      const all = client.AggregatorRegistry.aggregate(processes as object[][] as object[]);
      return { contentType: all.contentType, text: await all.metrics() };
    },
  };
}

async function load(): Promise<typeof import('prom-client')> {
  try {
    return (await import('prom-client')).default;
  } catch (cause) {
    throw new ScoreBatchError('configuration', 'the package prom-client, which writes metrics, is not installed', {
      hint: 'run `npm install prom-client@15`, or serve with --no-metrics',
      cause,
    });
  }
}

function namesOf(model: OnlineModel | undefined): { readonly model: string; readonly version: string } {
  return { model: model?.name ?? '', version: model?.version ?? '' };
}

/** The histogram holds the time between two samples, so subtract the resolution. */
function lagOf(lag: IntervalHistogram): number {
  return Math.max(0, lag.percentile(99) / 1e9 - RESOLUTION / 1000);
}

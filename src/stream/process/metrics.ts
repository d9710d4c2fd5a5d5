import type { Counter, Gauge } from 'prom-client';
import { ScoreBatchError } from '../../errors.ts';
import type { Attributes } from '../attributes.ts';
import type { CommittedFacts, PartitionState } from '../partition/ports.ts';
import type { Scorer } from '../scorer.ts';
import { createLatency } from './latency.ts';

/** State read at each scrape. */
export interface Watched {
  readonly partitions: readonly PartitionState[];
  readonly attributes: Attributes | undefined;
  readonly scorer: Pick<Scorer, 'name' | 'version' | 'digest'>;
  /** Paused by the operator. */
  readonly paused: boolean;
}

/** Counts of the process. */
export interface Metrics {
  read(records: number): void;
  committed(facts: CommittedFacts): void;
  rebuilt(ms: number): void;
  restarted(): void;
  switched(outcome: 'done' | 'refused'): void;
  /** In Prometheus text format. */
  text(): Promise<{ readonly contentType: string; readonly text: string }>;
}

const SECONDS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
const REBUILD_SECONDS = [0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];

/** No label comes from an event. @throws ScoreBatchError `configuration` if prom-client is not installed */
export async function createMetrics(watch: () => Watched): Promise<Metrics> {
  const client = await load();
  const registry = new client.Registry();
  const registers = [registry];
  const latency = createLatency();
  const counter = (name: string, help: string): Counter =>
    new client.Counter({ name: `score_batch_stream_${name}`, help, registers });
  const gauge = (name: string, help: string, collect: (own: Gauge) => void): void => {
    new client.Gauge({
      ...{ name: `score_batch_stream_${name}`, help, registers },
      collect() {
        collect(this);
      },
    });
  };
  const perPartition = (name: string, help: string, of: (state: PartitionState) => number): void => {
    new client.Gauge({
      ...{ name: `score_batch_stream_${name}`, help, registers, labelNames: ['partition'] },
      collect() {
        // Partitions that moved are reported by the process that has them.
        this.reset();
        for (const state of watch().partitions) this.set({ partition: state.partition }, of(state));
      },
    });
  };

  const records = counter('records_total', 'Records that were read, including those read again to rebuild windows');
  const events = counter('events_total', 'Events whose scores are visible');
  const duplicates = counter('duplicates_total', 'Repeated events, which were not scored again');
  const capped = counter('capped_total', 'Events whose key had more events than limits.events_per_key');
  const partial = counter('partial_total', 'Events scored with windows that lack events from before the first offset read');
  const idle = counter('idle_total', 'Events scored before their time, because their partition was idle');
  const restarts = counter('restarts_total', 'Times that a partition was reopened after a failed transaction');
  const rejected = new client.Counter({
    ...{ name: 'score_batch_stream_rejected_total', help: 'Records that were not scored, by reason', registers },
    labelNames: ['reason'],
  });
  const switches = new client.Counter({
    ...{ name: 'score_batch_stream_model_switches_total', help: 'Attempts to switch to another model, by outcome', registers },
    labelNames: ['outcome'],
  });
  const transactions = new client.Histogram({
    ...{ name: 'score_batch_stream_transaction_seconds', help: 'Duration of a transaction', registers },
    buckets: SECONDS,
  });
  const rebuilds = new client.Histogram({
    ...{
      name: 'score_batch_stream_rebuild_seconds',
      help: 'Time to rebuild the windows of a partition',
      registers,
    },
    buckets: REBUILD_SECONDS,
  });
  perPartition('lag', 'Records of the partition that have not been read yet', ({ position, end }) =>
    Math.max(0, end - position),
  );
  perPartition('position', 'The next offset to read', ({ position }) => position);
  perPartition('rebuilding', '1 while the windows of the partition are rebuilt', ({ rebuilding }) => Number(rebuilding));
  perPartition('window_keys', 'Keys with events in memory', ({ keys }) => keys);
  perPartition('window_events', 'Events in memory', ({ events: count }) => count);
  perPartition('window_bytes', 'Estimated memory of the windows', ({ bytes }) => bytes);
  perPartition('pending_events', 'Events that are waiting to be scored', ({ pending }) => pending);
  gauge('paused', '1 while the operator has paused reading', (own) => own.set(Number(watch().paused)));
  gauge('attribute_rows', 'Keys with attributes', (own) => own.set(watch().attributes?.rows ?? 0));
  gauge('attribute_bytes', 'Estimated memory of the attributes', (own) => own.set(watch().attributes?.bytes ?? 0));
  gauge('attribute_age_seconds', 'Age of the attributes in use', (own) => {
    const { attributes } = watch();
    own.set(attributes === undefined ? 0 : Math.max(0, Date.now() - attributes.loadedAt) / 1000);
  });
  gauge('resident_memory_bytes', 'Memory of the process', (own) => own.set(process.memoryUsage.rss()));
  new client.Gauge({
    ...{ name: 'score_batch_stream_model_info', help: 'The model in use', registers },
    labelNames: ['model', 'version', 'digest'],
    collect() {
      const { name, version, digest } = watch().scorer;
      this.reset();
      this.set({ model: name, version, digest }, 1);
    },
  });

  return {
    read: (count) => records.inc(count),
    committed(facts) {
      const now = Date.now();
      events.inc(facts.events.length);
      duplicates.inc(facts.duplicates);
      transactions.observe(facts.ms / 1000);
      for (const [reason, count] of facts.rejected) rejected.inc({ reason }, count);
      let [isCapped, isIdle, isPartial] = [0, 0, 0];
      for (const due of facts.events) {
        latency.observe(now - due.event.timestamp);
        if (due.capped) isCapped += 1;
        if (due.idle) isIdle += 1;
        if (due.partial) isPartial += 1;
      }
      capped.inc(isCapped);
      idle.inc(isIdle);
      partial.inc(isPartial);
    },
    rebuilt: (ms) => rebuilds.observe(ms / 1000),
    restarted: () => restarts.inc(),
    switched: (outcome) => switches.inc({ outcome }),
    async text() {
      return { contentType: registry.contentType, text: `${await registry.metrics()}\n${latency.text()}` };
    },
  };
}

async function load(): Promise<typeof import('prom-client')> {
  try {
    return (await import('prom-client')).default;
  } catch (cause) {
    throw new ScoreBatchError('configuration', 'the package prom-client, which writes metrics, is not installed', {
      hint: 'run `npm install prom-client@15`, or remove metrics from the stream job file',
      cause,
    });
  }
}

/** A metric as plain data, in prom-client's form for passing between processes. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator: string;
  readonly values: readonly MetricValue[];
}

interface MetricValue {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  /** For a histogram, whose values have several names. */
  readonly metricName?: string;
}

/**
 * Adds up the counts of ended processes, because Prometheus takes a falling counter for a reset. Gauges of a process end with
 * it.
 */
export function addCounts(ended: readonly Metric[], more: readonly Metric[]): Metric[] {
  const sums = new Map(ended.map((metric) => [metric.name, metric]));
  for (const metric of more) {
    if (metric.type !== 'counter' && metric.type !== 'histogram') continue;
    const known = sums.get(metric.name);
    sums.set(metric.name, known === undefined ? metric : { ...known, values: addValues(known.values, metric.values) });
  }
  return [...sums.values()];
}

function addValues(ended: readonly MetricValue[], more: readonly MetricValue[]): MetricValue[] {
  const keyOf = ({ metricName, labels }: MetricValue) => JSON.stringify([metricName, Object.entries(labels).sort()]);
  const sums = new Map(ended.map((value) => [keyOf(value), value]));
  for (const value of more) {
    const key = keyOf(value);
    sums.set(key, { ...value, value: value.value + (sums.get(key)?.value ?? 0) });
  }
  return [...sums.values()];
}

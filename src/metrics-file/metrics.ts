/** The file's metrics, in order. All have the label `job_name`, because Prometheus would rename its own label `job`. */
export const METRICS = {
  score_batch_runs_total: {
    type: 'counter',
    help: 'Runs that ended, by state, without those whose process was killed before it could write this file',
  },
  score_batch_last_run_timestamp_seconds: { type: 'gauge', help: 'When the last run ended' },
  score_batch_last_phase_timestamp_seconds: {
    type: 'gauge',
    help: 'When a process finished its part of a run, such as freeze or score',
  },
  score_batch_last_run_state: { type: 'gauge', help: '1 for the state in which the last run ended' },
  score_batch_last_run_duration_seconds: { type: 'gauge', help: 'Time that the process of the last run took' },
  score_batch_last_run_stage_seconds: {
    type: 'gauge',
    help: 'Time per stage of the last run that did work, including earlier processes of that run',
  },
  score_batch_last_run_rows: { type: 'gauge', help: 'Rows by outcome, from the last run whose rows were counted' },
  score_batch_last_success_timestamp_seconds: {
    type: 'gauge',
    help: 'When a window was last published, or found to be published',
  },
  score_batch_newest_window_start_timestamp_seconds: {
    type: 'gauge',
    help: 'Start of the newest window that was published or skipped, of the kind that the job file names',
  },
  score_batch_newest_window_end_timestamp_seconds: {
    type: 'gauge',
    help: 'End of the newest window that was published or skipped, of the kind that the job file names',
  },
  score_batch_model_info: { type: 'gauge', help: 'The model of the last success' },
} as const;

export type Metric = keyof typeof METRICS;

export type Labels = Readonly<Record<string, string>>;

/** The values of one job: by metric, then by labels as written in the file. */
export type Series = ReadonlyMap<Metric, ReadonlyMap<string, number>>;

/** @param labels without `job_name` */
export function labelsOf(job: string, labels: Labels = {}): string {
  return Object.entries({ job_name: job, ...labels })
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',');
}

/** Formats the series in Prometheus text format. */
export function textOf(series: Series): string {
  const names = Object.keys(METRICS) as Metric[];
  const parts = names.flatMap((name) => {
    const values = series.get(name);
    if (values === undefined || values.size === 0) return [];
    const { type, help } = METRICS[name];
    return [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${type}`,
      ...[...values].map(([labels, value]) => `${name}{${labels}} ${value}`),
    ];
  });
  return `${parts.join('\n')}\n`;
}

/** Parses what `textOf` wrote for the job; undefined for anything else. */
export function readSeries(text: string, job: string): Series | undefined {
  const series = new Map<Metric, Map<string, number>>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const [, name = '', labels = '', value] = /^(\w+)\{(.*)\} (\S+)$/.exec(line) ?? [];
    const number = Number(value);
    if (!isMetric(name) || !`${labels},`.startsWith(`${labelsOf(job)},`) || !Number.isFinite(number)) return undefined;
    series.set(name, (series.get(name) ?? new Map<string, number>()).set(labels, number));
  }
  return series;
}

function isMetric(name: string): name is Metric {
  return Object.hasOwn(METRICS, name);
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

import type { ObservedEnd, ObservedRun } from '../observe/observer.ts';
import { type Labels, labelsOf, type Metric, type Series } from './metrics.ts';

/** Labels of the states; a phase has none. */
const STATES: Readonly<Record<Exclude<ObservedEnd['state'], 'phase'>, string>> = {
  published: 'published',
  'already published': 'already_published',
  refused: 'refused',
  skipped: 'skipped',
  failed: 'failed',
};

/** The file's metrics after a run or a phase has ended. @param before the current ones */
export function afterRun(before: Series, { plan, began }: ObservedRun, end: ObservedEnd): Series {
  const job = plan.job.definition.name;
  const series = new Map(before);
  const set = (metric: Metric, ...values: readonly (readonly [value: number, labels?: Labels])[]): void => {
    series.set(metric, new Map(values.map(([value, labels]) => [labelsOf(job, labels), value])));
  };
  // Nothing else is known about the run yet. A phase that succeeds makes up for earlier failures, even on another host.
  if (end.state === 'phase') {
    set('score_batch_last_phase_timestamp_seconds', [end.ended / 1000]);
    return series;
  }
  const state = STATES[end.state];
  const of = (metric: Metric, labels?: Labels): number | undefined => before.get(metric)?.get(labelsOf(job, labels));
  const states = Object.values(STATES);
  set(
    'score_batch_runs_total',
    ...states.map((label) => {
      const count = of('score_batch_runs_total', { state: label }) ?? 0;
      return [label === state ? count + 1 : count, { state: label }] as const;
    }),
  );
  set('score_batch_last_run_timestamp_seconds', [end.ended / 1000]);
  set('score_batch_last_run_state', ...states.map((label) => [Number(label === state), { state: label }] as const));
  set('score_batch_last_run_duration_seconds', [(end.ended - began) / 1000]);
  // Times and counts of an earlier run are not this run's.
  if (end.state !== 'already published') {
    set(
      'score_batch_last_run_stage_seconds',
      ...Object.entries(end.seconds).map(([stage, took]) => [took, { stage }] as const),
    );
    const { rows } = end;
    if (rows !== undefined)
      set('score_batch_last_run_rows', [rows.scored, { outcome: 'scored' }], [rows.quarantined, { outcome: 'quarantined' }]);
  }
  const isPublished = end.state === 'published' || end.state === 'already published';
  if (!isPublished && end.state !== 'skipped') return series;
  const { window, bundle } = plan;
  // A backfill publishes older windows after newer ones. Slices, and windows of another kind (a day of a weekly job), do not
  // advance the schedule. An empty window that is skipped on purpose does, since nothing of it is missing.
  const isRegular = plan.slice === undefined && window.kind === plan.job.definition.every;
  if (isRegular && window.end.getTime() / 1000 >= (of('score_batch_newest_window_end_timestamp_seconds') ?? 0)) {
    set('score_batch_newest_window_start_timestamp_seconds', [window.start.getTime() / 1000]);
    set('score_batch_newest_window_end_timestamp_seconds', [window.end.getTime() / 1000]);
  }
  if (!isPublished) return series;
  set('score_batch_last_success_timestamp_seconds', [end.ended / 1000]);
  const { name: model, version } = bundle.definition;
  set('score_batch_model_info', [1, { model, version, digest: bundle.digest }]);
  return series;
}

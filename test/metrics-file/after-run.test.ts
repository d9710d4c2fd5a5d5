import { expect, it } from 'vitest';
import { afterRun } from '../../src/metrics-file/after-run.ts';
import { type Labels, labelsOf, type Metric, type Series } from '../../src/metrics-file/metrics.ts';
import type { ObservedEnd, ObservedRun } from '../../src/observe/observer.ts';
import { windowFromFlags } from '../../src/window/flags.ts';

const NOW = Date.parse('2026-11-25T12:00Z');

interface Ended {
  /** As options on the command line say it. */
  readonly window?: Parameters<typeof windowFromFlags>[0];
  readonly state?: ObservedEnd['state'];
  /** Epoch seconds. */
  readonly ended?: number;
}

/** The series of a weekly job after runs that ended like this. */
function after(...runs: readonly Ended[]): Series {
  let series: Series = new Map();
  for (const { window = { week: '2026-W46' }, state = 'published', ended = 0 } of runs) {
    const plan = {
      job: { definition: { name: 'churn', every: 'week' } },
      window: windowFromFlags(window, 'UTC', NOW),
      bundle: { definition: { name: 'churn', version: '1' }, digest: 'd' },
    };
    const run = { plan, runId: 'r', began: 0 } as unknown as ObservedRun;
    const end = { state, ended: ended * 1000, stages: [], seconds: {}, rows: undefined } as unknown as ObservedEnd;
    series = afterRun(series, run, end);
  }
  return series;
}

function inSeries(series: Series, metric: Metric, labels: Labels = {}): number | undefined {
  return series.get(metric)?.get(labelsOf('churn', labels));
}

/** First day, and the day after the last one. */
function newestWindow(series: Series): (string | undefined)[] {
  return (['start', 'end'] as const).map((side) => {
    const seconds = inSeries(series, `score_batch_newest_window_${side}_timestamp_seconds`);
    return seconds === undefined ? undefined : new Date(seconds * 1000).toISOString().slice(0, 10);
  });
}

it.each([
  ['a longer window', { from: '2026-01-01', to: '2026-11-18' }],
  ['a day', { date: '2026-11-17' }],
])('%s is not the newest window of a weekly job, whose next window does not follow it', (_, window) => {
  expect(newestWindow(after({ window }))).toEqual([undefined, undefined]);
  expect(newestWindow(after({}, { window }))).toEqual(['2026-11-09', '2026-11-16']);
  expect(newestWindow(after({ window }, {}))).toEqual(['2026-11-09', '2026-11-16']);
  expect(inSeries(after({}, { window, ended: 7 }), 'score_batch_last_success_timestamp_seconds')).toBe(7);
});

it('a range that is a week of the zone is the newest window', () => {
  expect(newestWindow(after({}, { window: { from: '2026-11-16', to: '2026-11-23' } }))).toEqual(['2026-11-16', '2026-11-23']);
});

it('an empty window that is skipped on purpose is the newest window, but no success', () => {
  const series = after({ ended: 7 }, { window: { week: '2026-W47' }, state: 'skipped', ended: 8 });
  expect(newestWindow(series)).toEqual(['2026-11-16', '2026-11-23']);
  expect(inSeries(series, 'score_batch_last_success_timestamp_seconds')).toBe(7);
  expect(newestWindow(after({}, { window: { week: '2026-W47' }, state: 'refused' }))).toEqual(['2026-11-09', '2026-11-16']);
});

it('a part of a run that was done says when, and leaves how the last run ended', () => {
  const series = after({ state: 'failed', ended: 7 }, { state: 'phase', ended: 8 });
  expect(inSeries(series, 'score_batch_last_phase_timestamp_seconds')).toBe(8);
  expect(inSeries(series, 'score_batch_last_run_timestamp_seconds')).toBe(7);
  expect(inSeries(series, 'score_batch_last_run_state', { state: 'failed' })).toBe(1);
  expect(inSeries(series, 'score_batch_runs_total', { state: 'failed' })).toBe(1);
});

import type { Meter } from '@opentelemetry/api';
import type { RunObserver } from '../observe/observer.ts';

/** Counts runs and their rows, and measures the newest run of each job in this process. */
export function observeMeasures(meter: Meter): Omit<RunObserver, 'close'> {
  const runs = meter.createCounter('score_batch.runs', { unit: '{run}', description: 'Runs that ended, by state' });
  const rows = meter.createCounter('score_batch.rows', { unit: '{row}', description: 'Rows of published runs, by outcome' });
  const seconds = meter.createGauge('score_batch.stage.duration', {
    unit: 's',
    description: 'Time per stage of the newest run, including earlier processes of that run',
  });
  const success = meter.createGauge('score_batch.last_success.time', {
    unit: 's',
    description: 'When a window was last published, or found to be published; seconds since 1970',
  });
  return {
    began: () => undefined,
    ended({ plan }, end) {
      const job = { 'score_batch.job': plan.job.definition.name };
      runs.add(1, { ...job, 'score_batch.state': end.state });
      if (end.state === 'published' || end.state === 'already published') success.record(end.ended / 1000, job);
      if (end.state === 'already published') return;
      for (const [stage, took] of Object.entries(end.seconds))
        if (took > 0) seconds.record(took, { ...job, 'score_batch.stage': stage });
      if (end.state !== 'published' || end.rows === undefined) return;
      rows.add(end.rows.scored, { ...job, 'score_batch.outcome': 'scored' });
      rows.add(end.rows.quarantined, { ...job, 'score_batch.outcome': 'quarantined' });
    },
  };
}

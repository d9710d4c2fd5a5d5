import { ScoreBatchError } from '../errors.ts';

/**
 * The instant that counts as now, in epoch milliseconds: `SCORE_BATCH_NOW` where it is set, else the clock. Read once per
 * invocation, so that a run that starts before midnight and ends after it works on one window.
 */
export function readNow(environment: NodeJS.ProcessEnv): number {
  const pinned = environment.SCORE_BATCH_NOW;
  if (pinned === undefined || pinned === '') return Date.now();
  const instant = /(?:Z|[+-]\d{2}:\d{2})$/.test(pinned) ? Date.parse(pinned) : Number.NaN;
  if (Number.isNaN(instant)) {
    throw new ScoreBatchError('usage', `SCORE_BATCH_NOW=${pinned} is not an instant with an offset`, {
      hint: 'write it like 2026-11-23T08:00:00+01:00',
    });
  }
  return instant;
}

import { ScoreBatchError } from '../errors.ts';

/** A race that was lost at the publish lock. @param runId the run that is published now, where it is known */
export function superseded(label: string, runId: string | undefined, cause?: unknown): ScoreBatchError {
  return new ScoreBatchError('conflict', `another run (${runId || 'unknown'}) published ${label} meanwhile`, {
    hint: 'look at `score-batch status`; start again to publish over it',
    cause,
  });
}

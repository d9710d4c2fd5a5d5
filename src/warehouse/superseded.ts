import { ScoreBatchError } from '../errors.ts';

/** This run lost a race at the publish lock. @param runId of the run published now, if known */
export function superseded(label: string, runId: string | undefined, cause?: unknown): ScoreBatchError {
  return new ScoreBatchError('conflict', `another run (${runId || 'unknown'}) published ${label} meanwhile`, {
    hint: 'check `score-batch status`; run the command again to supersede that publication',
    cause,
  });
}

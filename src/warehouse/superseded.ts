import { ScoreBatchError } from '../errors.ts';

/** This run lost a race at the publish lock. @param runId of the run published now, if known */
export function superseded(label: string, runId: string | undefined, cause?: unknown): ScoreBatchError {
  return new ScoreBatchError('conflict', `another run (${runId || 'unknown'}) published ${label} in the meantime`, {
    hint: 'check `score-batch status`; to supersede that publication, run the same command again',
    cause,
  });
}

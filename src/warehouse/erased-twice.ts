import { ScoreBatchError } from '../errors.ts';

/** Two erasures at once from the kept rows of a run: the rows that one of them has written would bring back the other's person. */
export function erasedTwice(runId: string, cause?: unknown): ScoreBatchError {
  return new ScoreBatchError('conflict', `another process has changed the rows that run ${runId} has kept`, {
    hint: 'it may erase somebody, too: run the same command again',
    cause,
  });
}

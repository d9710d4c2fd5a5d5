import { ScoreBatchError } from '../errors.ts';

/** What would be published is not what was counted: somebody wrote to staging meanwhile. Nothing is committed. */
export function alteredStaging(details: readonly string[]): ScoreBatchError {
  return new ScoreBatchError('refused', 'the staged rows changed after they were counted', {
    details,
    hint: 'nothing was published; find out what wrote to staging, then run the same command again: it scores the window anew',
  });
}

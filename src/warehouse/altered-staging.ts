import { ScoreBatchError } from '../errors.ts';

/** Another process wrote to staging after it was counted. Nothing is committed. */
export function alteredStaging(details: readonly string[]): ScoreBatchError {
  return new ScoreBatchError('refused', 'the staged rows changed after they were counted', {
    details,
    hint: 'nothing was published; find out what wrote to staging, then run the same command again to score the window again',
  });
}

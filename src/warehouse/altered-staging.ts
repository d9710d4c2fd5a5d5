import { ScoreBatchError } from '../errors.ts';

/** Another process wrote to staging after it was counted. Nothing is committed. */
export function alteredStaging(details: readonly string[]): ScoreBatchError {
  return new ScoreBatchError('refused', 'the staged rows changed after they were counted', {
    details,
    hint: 'nothing was published; find the process that changed staging, then run the same command again: it scores the window again',
  });
}

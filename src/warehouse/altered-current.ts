import { ScoreBatchError } from '../errors.ts';

/** Another process wrote to the current table or to staging, or a statement ran twice. Nothing is committed. */
export function alteredCurrent(details: readonly string[]): ScoreBatchError {
  return new ScoreBatchError('refused', 'the current table would not have each user of the slice exactly once', {
    details,
    hint: 'nothing was published; find the process that changed the table or staging, then run the same command again',
  });
}

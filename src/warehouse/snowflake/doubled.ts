import { ScoreBatchError } from '../../errors.ts';

/** A statement of a transaction ran twice or not at all. Nothing is committed. */
export function doubled(what: string): ScoreBatchError {
  return new ScoreBatchError('unavailable', 'the publication was rolled back: one of its statements ran twice or not at all', {
    details: [what],
    hint: 'the connection to Snowflake may be unreliable; run the same command again: it resumes from the staged chunks',
  });
}

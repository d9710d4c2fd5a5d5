import { ScoreBatchError } from '../errors.ts';

/** A tree ensemble that cannot be, or must not be, written as tensor operations. @param why a clause without a full stop */
export function refusal(why: string, hint = 'score it as it is, on cpu'): ScoreBatchError {
  return new ScoreBatchError('configuration', `the model cannot be written as tensor operations: ${why}`, { hint });
}

import { ScoreBatchError } from '../errors.ts';

/** The error for a model that cannot be tensorized. @param why a clause without a full stop */
export function refusal(why: string, hint = 'score the original model on cpu'): ScoreBatchError {
  return new ScoreBatchError('configuration', `cannot rewrite the model as tensor operations: ${why}`, { hint });
}

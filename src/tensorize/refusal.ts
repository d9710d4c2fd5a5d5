import { ScoreBatchError } from '../errors.ts';

const REFUSED = 'cannot rewrite the model as tensor operations: ';

/** The error for a model that cannot be tensorized. @param why a clause without a full stop */
export function refusal(why: string, hint = 'score the original model on cpu'): ScoreBatchError {
  return new ScoreBatchError('configuration', `${REFUSED}${why}`, { hint });
}

/** The clause of such an error, without what was attempted; undefined for any other error. */
export function whyRefused({ message }: ScoreBatchError): string | undefined {
  return message.startsWith(REFUSED) ? message.slice(REFUSED.length) : undefined;
}

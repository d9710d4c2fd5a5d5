import { ScoreBatchError } from '../../errors.ts';
import { TransactionError } from '../log.ts';

/** Turns an unreachable broker into an error that is retried. */
export async function reachable<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ScoreBatchError && error.kind === 'unavailable') {
      throw new TransactionError(error.message, { cause: error });
    }
    throw error;
  }
}

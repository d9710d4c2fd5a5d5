import { ScoreBatchError } from '../../errors.ts';
import { ServeFailure } from '../failure.ts';

/**
 * What the senders are told when the model fails on their rows. The runtime's error may hold row values, so the error kept as
 * cause drops its own cause. Anything else is a bug, whose message the log masks.
 */
export function failureOf(error: unknown): ServeFailure {
  if (error instanceof ServeFailure) return error;
  if (!(error instanceof ScoreBatchError))
    return new ServeFailure('internal', 'the model failed on these rows', { cause: error });
  const { kind, message, details, hint } = error;
  const cause = new ScoreBatchError(kind, message, { details, ...(hint !== undefined && { hint }) });
  if (kind === 'unavailable') return new ServeFailure('unavailable', 'the device of the model failed', { cause });
  return new ServeFailure('internal', 'the model failed on these rows', { cause });
}

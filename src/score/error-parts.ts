import { ScoreBatchError } from '../errors.ts';
import { withoutSecrets } from '../secrets.ts';
import type { ErrorParts } from './messages.ts';

/** Without secrets: the thread that shows it knows only those of its own. */
export function toParts(error: unknown): ErrorParts {
  const known = error instanceof ScoreBatchError ? error : undefined;
  return {
    kind: known?.kind,
    message: withoutSecrets(error instanceof Error ? error.message : String(error)),
    hint: known?.hint,
    details: (known?.details ?? []).map(withoutSecrets),
    stack: error instanceof Error && error.stack !== undefined ? withoutSecrets(error.stack) : undefined,
  };
}

/** The error as it was in the other thread; one that is a bug keeps the stack of where it happened. */
export function fromParts({ kind, message, hint, details, stack }: ErrorParts): Error {
  if (kind !== undefined) return new ScoreBatchError(kind, message, { details, ...(hint !== undefined && { hint }) });
  const error = new Error(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}

import { type ErrorKind, ScoreBatchError } from './errors.ts';
import { withoutSecrets } from './secrets.ts';

/** The parts of an error, because messages between threads and processes do not preserve classes. */
export interface ErrorParts {
  readonly kind: ErrorKind | undefined;
  readonly message: string;
  readonly hint: string | undefined;
  readonly details: readonly string[];
  readonly stack: string | undefined;
}

/** Masks secrets, because the thread or process that shows the error only knows its own. */
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

/** Restores an error of another thread or process. A bug keeps its original stack. */
export function fromParts({ kind, message, hint, details, stack }: ErrorParts): Error {
  if (kind !== undefined) return new ScoreBatchError(kind, message, { details, ...(hint !== undefined && { hint }) });
  const error = new Error(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}

import { inspect } from 'node:util';
import { EXIT_CODES, Interrupted, ScoreBatchError } from '../errors.ts';

const SIGNAL_NUMBERS: Partial<Record<NodeJS.Signals, number>> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

/** The text for a person and the code for a scheduler. */
export function presentError(error: unknown): { text: string; exitCode: number; kind: string } {
  if (error instanceof Interrupted) {
    const number = SIGNAL_NUMBERS[error.signal] ?? 15;
    return {
      text: `${error.message}; the same command goes on where this one stopped`,
      exitCode: 128 + number,
      kind: 'interrupted',
    };
  }
  if (error instanceof ScoreBatchError) {
    const lines = [`error: ${error.message}`, ...error.details.map((detail) => `  ${detail.replaceAll('\n', '\n  ')}`)];
    if (error.hint !== undefined) lines.push(`hint: ${error.hint}`);
    return { text: lines.join('\n'), exitCode: EXIT_CODES[error.kind], kind: error.kind };
  }
  const stack = inspect(error);
  return { text: `error: this is a bug in score-batch\n${stack}`, exitCode: 1, kind: 'bug' };
}

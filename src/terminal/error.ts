import { EXIT_CODES, Interrupted, missingNative, ScoreBatchError, tooManyFiles } from '../errors.ts';
import { type Subject, showSubject } from './subject.ts';

const SIGNAL_NUMBERS: Partial<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

interface Presented {
  /** The complete text for people. */
  readonly text: string;
  /** Its first sentence. */
  readonly message: string;
  readonly details: readonly string[];
  readonly hint: string | undefined;
  readonly exitCode: number;
  readonly kind: string;
}

/** Renders an error: text for people, exit code for schedulers. */
export function presentError(thrown: unknown, subject: Subject = {}): Presented {
  const error = tooManyFiles(thrown) ?? missingNative(thrown) ?? thrown;
  const about = showSubject(subject);
  const named = about === undefined ? [] : [`  ${about}`];
  if (error instanceof Interrupted) {
    const { message, by } = error;
    if (!by.startsWith('SIG')) {
      const hint = 'allow more time, or run the same command again: it resumes from what is staged';
      const text = [`error: ${message}`, ...named, `hint: ${hint}`].join('\n');
      return { text, message, details: [], hint, exitCode: EXIT_CODES.unavailable, kind: 'unavailable' };
    }
    const text = [`${message}; run the same command again to resume`, ...named].join('\n');
    const exitCode = 128 + (SIGNAL_NUMBERS[by] ?? 15);
    return { text, message, details: [], hint: undefined, exitCode, kind: 'interrupted' };
  }
  if (error instanceof ScoreBatchError) {
    const { message, details, hint, kind } = error;
    const first = kind === 'nothing to score' ? message : `error: ${message}`;
    // Indented so that no line of a warehouse's message looks like ours.
    const lines = [first, ...details.map((detail) => `  ${detail}`), ...named].map(indented);
    if (hint !== undefined) lines.push(indented(`hint: ${hint}`));
    return { text: lines.join('\n'), message, details, hint, exitCode: EXIT_CODES[kind], kind };
  }
  const message = error instanceof Error ? error.message : String(error);
  return {
    text: ['error: this is a bug in score-batch', ...named, stackOf(error)].join('\n'),
    message,
    details: [],
    hint: undefined,
    exitCode: 1,
    kind: 'bug',
  };
}

function indented(text: string): string {
  return text.replaceAll('\n', '\n  ');
}

/** The stacks of an error and its causes. Shows no other properties: errors carry requests, and those contain tokens. */
function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stack = error.stack ?? `${error.name}: ${error.message}`;
  return error.cause === undefined ? stack : `${stack}\ncaused by ${stackOf(error.cause)}`;
}

import { ScoreBatchError } from '../../src/errors.ts';

/** What a reader refuses, as people see it. */
export function problemsOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof ScoreBatchError) return [`${error.kind}: ${error.message}`, ...error.details].join('\n');
    throw error;
  }
  return 'nothing';
}

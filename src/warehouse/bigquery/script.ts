import { JobFailed } from './failure.ts';

// Values stand in scripts as literals, all through the dialect's one quoting function: parameters reach the statements of a
// script in BigQuery, but not in the emulator.

/** What our own scripts say when they refuse to go on; what is between the brackets is theirs. */
const REFUSAL = /score-batch: <(.*?)>/s;

/** Statements as one transaction of one script, which is done in whole or not at all, whatever becomes of this process. */
export function transaction(statements: readonly string[]): string {
  return ['BEGIN TRANSACTION', ...statements, 'COMMIT TRANSACTION'].map((statement) => `${statement};`).join('\n');
}

/** A statement that ends the script unless the condition holds. @param text expression of what `refusalOf` then reads */
export function refuseUnless(condition: string, text: string): string {
  return `SELECT IF(${condition}, 'go on', ERROR(CONCAT('score-batch: <', ${text}, '>')))`;
}

/** The text of `refuseUnless` with which a script ended; undefined where it ended otherwise. */
export function refusalOf(error: unknown): string | undefined {
  return error instanceof JobFailed ? REFUSAL.exec(error.message)?.[1] : undefined;
}

import { JobFailed } from './failure.ts';

// Scripts contain values as literals, all quoted by the dialect. Query parameters would work in BigQuery's scripts, but not
// in the emulator's.

/** The error that our scripts raise to stop; the text in angle brackets is the reason. */
const REFUSAL = /score-batch: <(.*?)>/s;

/** A script with the statements in one transaction: all or nothing, even if this process dies. */
export function transaction(statements: readonly string[]): string {
  return ['BEGIN TRANSACTION', ...statements, 'COMMIT TRANSACTION'].map((statement) => `${statement};`).join('\n');
}

/**
 * A statement that stops the script unless the condition holds.
 *
 * @param text expression for the string that `refusalOf` returns
 */
export function refuseUnless(condition: string, text: string): string {
  return `SELECT IF(${condition}, 'go on', ERROR(CONCAT('score-batch: <', ${text}, '>')))`;
}

/** The string of the `refuseUnless` that stopped a script; undefined if it failed for another reason. */
export function refusalOf(error: unknown): string | undefined {
  return error instanceof JobFailed ? REFUSAL.exec(error.message)?.[1] : undefined;
}

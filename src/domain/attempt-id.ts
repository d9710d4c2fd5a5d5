import { randomBytes } from 'node:crypto';
import { SCORER_ID_DIGITS } from './scorer.ts';

// An attempt's id names the frozen table that it read and the scorer that scored it. The id is part of file names, staged
// rows and load jobs, so attempts of different tables or scorers never mix.

const FROZEN_ID_DIGITS = 12;
const RANDOM_DIGITS = 8;

/** A new identity for a frozen table. Each freeze makes one. */
export function newFrozenId(): string {
  return randomBytes(FROZEN_ID_DIGITS / 2).toString('hex');
}

/**
 * @param frozen see `newFrozenId`
 * @param scorer see `scorerId`
 */
export function newAttemptId(frozen: string, scorer: string): string {
  return `${frozen}${scorer}${randomBytes(RANDOM_DIGITS / 2).toString('hex')}`;
}

/** Whether the attempt read this frozen table. */
export function isOfFrozen(attempt: string, frozen: string): boolean {
  return frozen.length === FROZEN_ID_DIGITS && attempt.startsWith(frozen);
}

/** The id of the scorer that made an attempt. */
export function scorerOf(attempt: string): string {
  return attempt.slice(FROZEN_ID_DIGITS, FROZEN_ID_DIGITS + SCORER_ID_DIGITS);
}

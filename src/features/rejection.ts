/** Why a row cannot be scored. Reasons about the key are added when the rows are written; see `rejectionSql`. */
export const REASONS = [
  'null in a required feature',
  'feature is not a finite number',
  'feature out of range',
  'unknown category',
  'score is not a finite number',
  'score outside 0 to 1',
] as const;

export type Reason = (typeof REASONS)[number];

/**
 * The reason why a row was rejected, as a number; 0 if it was not. A reason about a feature includes the position of the
 * feature. Only the first problem of a row counts. A number per row is cheap to keep for a whole chunk.
 */
export type Rejection = number;

export function rejection(reason: Reason, feature = 0): Rejection {
  return 1 + REASONS.indexOf(reason) + feature * REASONS.length;
}

/** @param code a rejection other than 0 */
export function readRejection(code: Rejection): { reason: Reason; feature: number | undefined } {
  const reason = REASONS[(code - 1) % REASONS.length] ?? REASONS[0];
  return { reason, feature: reason.startsWith('score') ? undefined : Math.floor((code - 1) / REASONS.length) };
}

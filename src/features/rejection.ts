/** Why a row cannot be scored. Reasons about the key are found where the chunk is written, the others by encoding. */
const REASONS = [
  'null in a required feature',
  'feature is not a finite number',
  'feature out of range',
  'unknown category',
  'score is not a finite number',
  'score outside 0 to 1',
] as const;

export type Reason = (typeof REASONS)[number];

/**
 * One number per row says whether it was rejected: 0 where it was not, else the reason and, for reasons about a feature, the
 * feature. Cheap to keep for a whole chunk, and only the first problem of a row counts.
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

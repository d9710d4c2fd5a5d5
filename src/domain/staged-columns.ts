/**
 * Columns of a scored file and of staging. The job's own columns go by position (key_0…, keep_0…), so that they clash with
 * nothing; besides them there are score, reason, column_name, value, chunk, attempt, provider and scored_at.
 */
export const stagedKey = (position: number): string => `key_${position}`;
export const stagedKeep = (position: number): string => `keep_${position}`;

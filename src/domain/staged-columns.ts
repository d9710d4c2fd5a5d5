import type { Column } from './schema.ts';

/**
 * Columns of a scored file and of staging. The job's own columns are named by position (key_0…, keep_0…), so they cannot
 * clash with the others: score, reason, column_name, value, chunk, attempt, provider, facts (see `AttemptFacts`) and
 * scored_at.
 */
export const stagedKey = (position: number): string => `key_${position}`;
export const stagedKeep = (position: number): string => `keep_${position}`;

/**
 * Column that only scored files and staging of slices have: the skip key of a scored row as a signed 64-bit integer, null for
 * any other row. See `createSkipKeys`.
 */
export const SKIP_KEY = 'skip_key';

/** Whether a sink with `stagesText` stages the values of this column as canonical text. */
export function isStagedAsText({ type }: Pick<Column, 'type'>): boolean {
  return type === 'decimal' || type === 'datetime' || type === 'timestamp' || type === 'uuid';
}

/** The staged column of such a sink. Columns that are not staged as text keep their type. */
export function stagedColumn(column: Column, name: string): Column {
  return isStagedAsText(column) ? { name, type: 'string', native: 'text' } : { ...column, name };
}

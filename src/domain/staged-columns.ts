import type { Column } from './schema.ts';

/**
 * Columns of a scored file and of staging. The job's own columns go by position (key_0…, keep_0…), so that they clash with
 * nothing; besides them there are score, reason, column_name, value, chunk, attempt, provider, facts (see `AttemptFacts`) and
 * scored_at.
 */
export const stagedKey = (position: number): string => `key_${position}`;
export const stagedKeep = (position: number): string => `keep_${position}`;

/** Whether a sink that `stagesText` stages values of this column as their canonical text. */
export function isStagedAsText({ type }: Pick<Column, 'type'>): boolean {
  return type === 'decimal' || type === 'datetime' || type === 'timestamp' || type === 'uuid';
}

/** A staged column of such a sink: what is not staged as text keeps its type. */
export function stagedColumn(column: Column, name: string): Column {
  return isStagedAsText(column) ? { name, type: 'string', native: 'text' } : { ...column, name };
}

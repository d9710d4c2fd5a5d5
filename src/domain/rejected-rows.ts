/**
 * Relation in a chunk worker's DuckDB for the rows that cannot be scored, used if no other relation has the chunk's
 * features. It has the row's number in the relation `chunk`, from 0, and the features in the types of their columns.
 */
export const REJECTED_ROWS = 'rejected_rows';
export const REJECTED_ROW = 'row_number';
export const rejectedValue = (position: number): string => `value_${position}`;

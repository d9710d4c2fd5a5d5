/**
 * Relation of a chunk worker's DuckDB with the rows that cannot be scored, where the features of a chunk are in no other one:
 * the number of the row in the relation `chunk`, from 0, and its features in the types of their columns.
 */
export const REJECTED_ROWS = 'rejected_rows';
export const REJECTED_ROW = 'row_number';
export const rejectedValue = (position: number): string => `value_${position}`;

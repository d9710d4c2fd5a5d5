/**
 * Column types that matter for scoring. `integer` fits 64 bits; `decimal` is exact, and wider or with a fraction;
 * `timestamp` is an instant, `datetime` a wall-clock time; `other` (a list, a struct) cannot be a key, a feature or a kept
 * column.
 */
export type ColumnType =
  | 'integer'
  | 'decimal'
  | 'float'
  | 'bool'
  | 'string'
  | 'date'
  | 'datetime'
  | 'timestamp'
  | 'uuid'
  | 'other';

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  /** The type as the warehouse writes it, e.g. `DECIMAL(10,2)`. */
  readonly native: string;
  /** Total digits, and digits after the point; decimals only. */
  readonly digits?: readonly [precision: number, scale: number];
}

/** Columns of a query, in the order of its select list. */
export type Schema = readonly Column[];

/** Finds a column by name. An exact match wins; otherwise case is ignored, as warehouses fold it. */
export function findColumn(schema: Schema, name: string): Column | undefined {
  const folded = name.toLowerCase();
  return schema.find((column) => column.name === name) ?? schema.find((column) => column.name.toLowerCase() === folded);
}

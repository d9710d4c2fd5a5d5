/**
 * What a column holds, as far as scoring cares. `integer` fits 64 bits; `decimal` is exact and wider or with a fraction;
 * `timestamp` is an instant, `datetime` a wall-clock time; `other` can be neither key, feature nor kept (a list, a struct).
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
  /** Digits in all and after the point; decimals only. */
  readonly digits?: readonly [precision: number, scale: number];
}

/** Columns of a query in the order of its select list. */
export type Schema = readonly Column[];

/** The column of that name; warehouses fold case, so an exact match is preferred and any case is accepted. */
export function findColumn(schema: Schema, name: string): Column | undefined {
  const folded = name.toLowerCase();
  return schema.find((column) => column.name === name) ?? schema.find((column) => column.name.toLowerCase() === folded);
}

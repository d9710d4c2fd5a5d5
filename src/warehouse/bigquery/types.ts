import type { Column, ColumnType, Schema } from '../../domain/schema.ts';
import type { TableColumn } from '../../domain/tables.ts';
import { BIGQUERY, fitsNumeric } from './dialect.ts';

/** A column in the REST API: https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema */
export interface Field {
  readonly name: string;
  readonly type: string;
  readonly mode?: string;
  readonly precision?: string;
  readonly scale?: string;
  readonly fields?: readonly Field[];
}

/** The REST API also returns type names of legacy SQL. */
const NAMES: Readonly<Record<string, string>> = {
  INTEGER: 'INT64',
  FLOAT: 'FLOAT64',
  BOOLEAN: 'BOOL',
  RECORD: 'STRUCT',
  DECIMAL: 'NUMERIC',
  BIGDECIMAL: 'BIGNUMERIC',
};

const TYPES: Readonly<Record<string, ColumnType>> = {
  INT64: 'integer',
  FLOAT64: 'float',
  BOOL: 'bool',
  STRING: 'string',
  DATE: 'date',
  DATETIME: 'datetime',
  TIMESTAMP: 'timestamp',
  NUMERIC: 'decimal',
  BIGNUMERIC: 'decimal',
};

/** Precision of DuckDB's decimals. */
const MAX_DIGITS = 38;

export function toSchema(fields: readonly Field[]): Schema {
  return fields.map(toColumn);
}

function toColumn(field: Field): Column {
  const { name } = field;
  const native = nativeType(field);
  const type = field.mode === 'REPEATED' ? 'other' : (TYPES[canonical(field.type)] ?? 'other');
  if (type !== 'decimal') return { name, native, type };
  const digits = digitsOf(field);
  return digits === undefined ? { name, native, type: 'other' } : { name, native, type, digits };
}

/** The type in SQL: `ARRAY<STRUCT<x INT64>>`. */
export function nativeType(field: Field): string {
  const type = canonical(field.type);
  const inner =
    type === 'STRUCT' ? `STRUCT<${(field.fields ?? []).map((part) => `${part.name} ${nativeType(part)}`).join(', ')}>` : type;
  const parameters = field.precision === undefined ? '' : `(${[field.precision, field.scale ?? []].flat().join(', ')})`;
  return field.mode === 'REPEATED' ? `ARRAY<${inner}${parameters}>` : `${inner}${parameters}`;
}

export function canonical(type: string): string {
  return NAMES[type] ?? type;
}

/** A column that holds values of a table column without loss. */
export function columnField(column: TableColumn): Field {
  const type = BIGQUERY.type(column);
  const [precision, scale] = column.digits ?? [38, 9];
  const plain = type === 'NUMERIC' && precision === 38 && scale === 9;
  if (column.type !== 'decimal' || plain) return { name: column.name, type };
  return { name: column.name, type, precision: String(precision), ...(scale > 0 && { scale: String(scale) }) };
}

/** Undefined if values can have more digits than other warehouses support. */
function digitsOf({ type, precision, scale }: Field): readonly [precision: number, scale: number] | undefined {
  if (precision === undefined) return canonical(type) === 'NUMERIC' ? [38, 9] : undefined;
  const digits = [Number(precision), Number(scale ?? 0)] as const;
  return digits[0] <= MAX_DIGITS || fitsNumeric(digits) ? digits : undefined;
}

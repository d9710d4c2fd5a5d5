import type { Column, ColumnType } from '../domain/schema.ts';
import type { TableColumn } from '../domain/tables.ts';

/** DuckDB's type names → column types. All other types are `other`. */
const TYPES: Readonly<Record<string, ColumnType>> = {
  TINYINT: 'integer',
  SMALLINT: 'integer',
  INTEGER: 'integer',
  BIGINT: 'integer',
  UTINYINT: 'integer',
  USMALLINT: 'integer',
  UINTEGER: 'integer',
  UBIGINT: 'decimal',
  HUGEINT: 'decimal',
  FLOAT: 'float',
  DOUBLE: 'float',
  BOOLEAN: 'bool',
  VARCHAR: 'string',
  DATE: 'date',
  TIMESTAMP: 'datetime',
  TIMESTAMP_S: 'datetime',
  TIMESTAMP_MS: 'datetime',
  'TIMESTAMP WITH TIME ZONE': 'timestamp',
  UUID: 'uuid',
};

/** A row of DESCRIBE → a column. */
export function toColumn(name: string, native: string): Column {
  const digits = /^DECIMAL\((\d+),(\d+)\)$/.exec(native);
  if (digits) return { name, native, type: 'decimal', digits: [Number(digits[1]), Number(digits[2])] };
  if (native.startsWith('ENUM(')) return { name, native: 'VARCHAR', type: 'string' };
  const type = TYPES[native] ?? 'other';
  return { name, native, type, ...(type === 'decimal' && { digits: [38, 0] as const }) };
}

/** The DuckDB type that represents a column of any warehouse without loss. */
export function duckdbType({ type, digits }: Pick<TableColumn, 'type' | 'digits'>): string {
  switch (type) {
    case 'integer':
      return 'BIGINT';
    case 'decimal':
      return `DECIMAL(${(digits ?? [38, 9]).join(',')})`;
    case 'float':
      return 'DOUBLE';
    case 'bool':
      return 'BOOLEAN';
    case 'string':
      return 'VARCHAR';
    case 'date':
      return 'DATE';
    case 'datetime':
      return 'TIMESTAMP';
    case 'timestamp':
      return 'TIMESTAMP WITH TIME ZONE';
    case 'uuid':
      return 'UUID';
  }
}

import type { Column } from '../../domain/schema.ts';
import type { WarehouseKind } from '../../domain/warehouse-kind.ts';
import type { Dialect } from '../../warehouse/dialect.ts';

/** Where a row image of an event is. */
export interface Image {
  readonly column: Column;
  /** SQL name of the column. */
  readonly name: string;
}

/**
 * Text of a field of a row image, in the warehouse's own SQL; null if there is no image or no such field. An image is JSON, as
 * text or as the warehouse's type (JSON, VARIANT), or a struct. The field's name is as in the database that it comes from: JSON
 * distinguishes case.
 */
export function fieldText(dialect: Dialect, kind: WarehouseKind, { column, name }: Image, field: string): string {
  const path = dialect.literal(`$."${field.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`);
  switch (kind) {
    case 'duckdb':
      return isStruct(column)
        ? `CAST(${name}.${dialect.identifier(field)} AS VARCHAR)`
        : `json_extract_string(${name}, ${path})`;
    case 'bigquery':
      return isStruct(column) ? `CAST(${name}.${dialect.identifier(field)} AS STRING)` : `JSON_VALUE(${name}, ${path})`;
    case 'snowflake':
      // JSON's null becomes the null of SQL with the cast.
      return `CAST(${column.type === 'string' ? `PARSE_JSON(${name})` : name}:"${field.replaceAll('"', '""')}" AS VARCHAR)`;
  }
}

/** Whether a column can be a row image. */
export function isImage({ type, native }: Column): boolean {
  return type === 'string' || (type === 'other' && /^(JSON|VARIANT|OBJECT|STRUCT\b)/.test(native));
}

function isStruct({ native }: Column): boolean {
  return native.startsWith('STRUCT');
}

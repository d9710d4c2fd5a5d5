import type { Column } from '../../domain/schema.ts';
import type { WarehouseKind } from '../../domain/warehouse-kind.ts';
import type { Dialect } from '../../warehouse/dialect.ts';

/** A row image of an event. */
export interface Image {
  readonly column: Column;
  /** SQL name of the column. */
  readonly name: string;
}

/**
 * A field of a row image as text, in the warehouse's own SQL; null if there is no image or no such field. An image is JSON, as
 * a string or in the warehouse's type (JSON, VARIANT), or a struct. The field is named as in the source database: JSON is
 * case-sensitive.
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
      // The cast turns JSON's null into SQL's null.
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

import type { ColumnKind } from '../domain/column-batch.ts';
import type { Column } from '../domain/schema.ts';
import { type Feature, featuresOf, type InputDtype, type Signature } from '../domain/signature.ts';
import { BUILT_IN, identifier, literal } from '../duckdb/sql.ts';
import type { VectorType } from '../duckdb/vector.ts';

/** How the ring carries a feature's column: in as few bytes as possible, and never as text. */
export interface TapColumn {
  /** Expression over the query's columns. */
  readonly sql: string;
  readonly type: VectorType;
  readonly kind: Exclude<ColumnKind, 'string'>;
  /** Expression for the text of values that a number cannot represent, otherwise null; undefined if there are no such values. */
  readonly text: string | undefined;
}

/** DuckDB's integer types that fit in four bytes. */
const SMALL = new Set(['TINYINT', 'SMALLINT', 'INTEGER', 'UTINYINT', 'USMALLINT']);
/** Beyond this, not every integer is a double. */
const INEXACT = 2 ** 53;
/** Maximum digits of a decimal that survives a conversion to double and back. */
const EXACT_DIGITS = 15;

/**
 * @param columns the columns that feed the features, in the order of `featuresOf`
 * @returns undefined if a text feature accepts any value, because the ring only carries numbers
 */
export function tapColumns(signature: Signature, columns: readonly Column[]): readonly TapColumn[] | undefined {
  const found = featuresOf(signature).map(({ feature, dtype }, i) => tapColumn(feature, dtype, columns[i]));
  return found.every((column) => column !== undefined) ? found : undefined;
}

function tapColumn(feature: Feature, dtype: InputDtype, column: Column | undefined): TapColumn | undefined {
  if (column === undefined) throw new RangeError(`no column feeds ${feature.name}`);
  const name = identifier(column.name);
  const cast = (type: VectorType, kind: TapColumn['kind']): TapColumn => ({
    sql: `CAST(${name} AS ${type})`,
    type,
    kind,
    text: dtype === 'int64' || feature.range === undefined ? undefined : inexactText(column),
  });
  switch (dtype) {
    case 'float32':
    case 'float64':
      if (SMALL.has(column.native)) return cast('INTEGER', 'int32');
      return column.native === 'FLOAT' ? cast('FLOAT', 'float32') : cast('DOUBLE', 'float64');
    case 'int64':
      return cast('BIGINT', 'int64');
    case 'bool':
      return cast('UTINYINT', 'bool');
    case 'string':
      return category(feature, name);
  }
}

function category({ categories = [], unknown }: Feature, name: string): TapColumn | undefined {
  if (unknown === 'allow' || categories.length === 0) return undefined;
  // Looking the string up in an enum's dictionary is forty times cheaper than passing it.
  const known = `TRY_CAST(CAST(${name} AS VARCHAR) AS ENUM(${categories.map(literal).join(', ')}))`;
  return {
    sql: `CASE WHEN ${name} IS NOT NULL THEN coalesce(CAST(${BUILT_IN}enum_code(${known}) AS INTEGER), -1) END`,
    type: 'INTEGER',
    kind: 'category',
    text: unknown === 'quarantine' ? `CASE WHEN ${known} IS NULL THEN CAST(${name} AS VARCHAR) END` : undefined,
  };
}

/** Expression for the text of numbers that a double cannot represent exactly. */
function inexactText({ name, native, type, digits: [precision, scale] = [0, 0] }: Column): string | undefined {
  const wide = type === 'decimal' ? precision > EXACT_DIGITS : native === 'BIGINT';
  if (!wide) return undefined;
  const quoted = identifier(name);
  return `CASE WHEN ${BUILT_IN}abs(CAST(${quoted} AS DOUBLE)) >= ${INEXACT / 4 / 10 ** scale} THEN CAST(${quoted} AS VARCHAR) END`;
}

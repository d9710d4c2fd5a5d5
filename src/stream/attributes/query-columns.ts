import { type Column, findColumn, type Schema } from '../../domain/schema.ts';
import { ScoreBatchError } from '../../errors.ts';
import type { FieldType, FieldValue } from '../../event-features/definition.ts';
import type { AttributeSettings } from '../settings.ts';
import { neededColumns } from './needed.ts';
import type { AttributeColumn } from './table.ts';

export type QuerySettings = Extract<AttributeSettings, { readonly query: string }>;

/** Columns of a query by role. */
export interface QueryColumns {
  readonly key: Column;
  readonly version: Column | undefined;
  readonly attributes: readonly { readonly column: Column; readonly kept: AttributeColumn }[];
}

/**
 * Types that reach a model in the same form from the stream and from a warehouse's SQL. Times and UUIDs do not: they are
 * strings only in the stream. A decimal becomes the nearest double, as in a model's input.
 */
const FIELD_TYPES: Readonly<Partial<Record<Column['type'], FieldType>>> = {
  integer: 'int64',
  float: 'float64',
  bool: 'bool',
  string: 'string',
};

/** @throws ScoreBatchError `configuration` if the query lacks a column, or one has a type that attributes cannot have */
export function queryColumns(
  schema: Schema,
  { key, version }: Pick<QuerySettings, 'key' | 'version'>,
  need: readonly string[] | undefined,
): QueryColumns {
  const keyColumn = textual(find(schema, key, 'attributes.key'), 'key');
  const versionColumn = version === undefined ? undefined : textual(find(schema, version, 'attributes.version'), 'version');
  const others = schema.filter((column) => column !== keyColumn && column !== versionColumn);
  const wanted = need?.map((name) => ({ name, column: findColumn(others, name) }));
  const available = (
    wanted ?? others.flatMap((column) => (typeOf(column) === undefined ? [] : [{ name: column.name, column }]))
  ).flatMap(({ name, column }) => (column === undefined ? [] : [{ column, kept: { name, type: fieldType(column) } }]));
  const columns = neededColumns(
    available.map(({ kept }) => kept),
    need,
    'attributes.query',
  );
  return {
    key: keyColumn,
    version: versionColumn,
    attributes: columns.flatMap(({ name }) => available.find(({ kept }) => kept.name === name) ?? []),
  };
}

function find(schema: Schema, name: string, setting: string): Column {
  const column = findColumn(schema, name);
  if (column !== undefined) return column;
  throw new ScoreBatchError('configuration', `attributes.query has no column ${name}, which ${setting} names`, {
    hint: `choose from ${schema.map((one) => one.name).join(', ')}`,
  });
}

/** @throws ScoreBatchError `configuration` if SQL could not look the value up by its text */
function textual(column: Column, purpose: 'key' | 'version'): Column {
  const type = typeOf(column);
  if (type === 'string' || type === 'int64') return column;
  throw new ScoreBatchError(
    'configuration',
    `the ${purpose} ${column.name} of attributes.query has the type ${column.native}`,
    {
      hint: `cast the ${purpose} to text or to a whole number, in the query and in the table: SQL finds a row by the text of its ${purpose}`,
    },
  );
}

function fieldType(column: Column): FieldType {
  const type = typeOf(column);
  if (type === undefined) throw noAttribute(column);
  return type;
}

function typeOf({ type, digits }: Column): FieldType | undefined {
  if (type !== 'decimal') return FIELD_TYPES[type];
  return digits?.[1] === 0 ? 'int64' : 'float64';
}

function noAttribute({ name, native }: Column): ScoreBatchError {
  return new ScoreBatchError('configuration', `the column ${name} of attributes.query has the type ${native}`, {
    hint: 'select text, a number or a bool; cast a time to text, in the query and in the table that SQL joins',
  });
}

/** @returns undefined for a non-finite number or an integer beyond 2^53 */
export function attributeValue(text: string, rest: string | null, type: FieldType): FieldValue | undefined {
  switch (type) {
    case 'string':
      return text;
    case 'bool':
      return text.toLowerCase() === 'true';
    case 'int64': {
      const value = Number(text);
      return Number.isSafeInteger(value) ? value : undefined;
    }
    case 'float64': {
      const value = Number(text) + (rest === null ? 0 : Number(rest));
      return Number.isFinite(value) ? value : undefined;
    }
  }
}

import type { Condition, EventField, FieldType } from '../definition.ts';
import type { EventDialect } from './dialect.ts';

/**
 * All conditions as one expression; undefined if there are none. Null meets no condition.
 *
 * @param at prefix of the columns: `b.`
 */
export function conditionSql(
  dialect: EventDialect,
  fields: readonly EventField[],
  where: readonly Condition[],
  at: string,
): string | undefined {
  if (where.length === 0) return undefined;
  return where.map((condition) => oneCondition(dialect, fields, condition, at)).join(' and ');
}

function oneCondition(dialect: EventDialect, fields: readonly EventField[], condition: Condition, at: string): string {
  const column = `${at}${dialect.column(condition.field)}`;
  const type = fields.find(({ name }) => name === condition.field)?.type ?? 'string';
  const value = (of: string | number | boolean) => valueSql(dialect, of, type);
  if ('is' in condition) {
    const [only = '', ...more] = condition.is;
    return more.length === 0 ? `${column} = ${value(only)}` : `${column} in (${condition.is.map(value).join(', ')})`;
  }
  const { atLeast, below } = condition;
  return [
    ...(atLeast === undefined ? [] : [`${column} >= ${value(atLeast)}`]),
    ...(below === undefined ? [] : [`${column} < ${value(below)}`]),
  ].join(' and ');
}

function valueSql(dialect: EventDialect, value: string | number | boolean, type: FieldType): string {
  if (typeof value === 'string') return dialect.literal(value);
  if (typeof value === 'boolean') return String(value);
  if (type === 'int64') return String(value);
  // The shortest text of this double; a bare literal could be a decimal.
  return `cast('${value.toExponential()}' as ${dialect.types.double})`;
}

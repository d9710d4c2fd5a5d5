import type { Condition, EventField, FieldType } from '../definition.ts';

const TYPES: Readonly<Record<FieldType, string>> = {
  string: 'STRING',
  int64: 'BIGINT',
  float64: 'DOUBLE',
  bool: 'BOOLEAN',
};

export function flinkType(type: FieldType): string {
  return TYPES[type];
}

export function quoted(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

export function literal(value: string | number | boolean): string {
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`;
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE';
  // A literal with a decimal point would be a DECIMAL.
  return Number.isSafeInteger(value) ? String(value) : `CAST('${value}' AS DOUBLE)`;
}

/** `INTERVAL '0 00:05:00.000' DAY TO SECOND(3)`: other forms allow only two digits. */
export function interval(milliseconds: number): string {
  const at = (unit: number, size: number, digits = 2): string =>
    String(Math.floor(milliseconds / unit) % size).padStart(digits, '0');
  const days = Math.floor(milliseconds / 86_400_000);
  const clock = `${at(3_600_000, 24)}:${at(60_000, 60)}:${at(1000, 60)}.${at(1, 1000, 3)}`;
  return `INTERVAL '${days} ${clock}' DAY TO SECOND(3)`;
}

/** Conjunction of all conditions; TRUE for none. Null meets no condition, so the result may be null instead of false. */
export function predicate(where: readonly Condition[], fields: readonly EventField[]): string {
  return where.length === 0 ? 'TRUE' : where.map((condition) => test(condition, fields)).join(' AND ');
}

function test(condition: Condition, fields: readonly EventField[]): string {
  const column = quoted(condition.field);
  if ('is' in condition) {
    const values = condition.is.map(literal);
    return values.length === 1 ? `${column} = ${values[0]}` : `${column} IN (${values.join(', ')})`;
  }
  const isDouble = fields.find(({ name }) => name === condition.field)?.type === 'float64';
  const bound = (value: number): string => (isDouble ? `CAST('${value}' AS DOUBLE)` : literal(value));
  return [
    ...(condition.atLeast === undefined ? [] : [`${column} >= ${bound(condition.atLeast)}`]),
    ...(condition.below === undefined ? [] : [`${column} < ${bound(condition.below)}`]),
  ].join(' AND ');
}

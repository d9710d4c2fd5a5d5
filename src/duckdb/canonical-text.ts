import type { Column } from '../domain/schema.ts';

const TIME = "'%Y-%m-%d %H:%M:%S.%f'";

/** A value as text that every warehouse writes the same way; see `Dialect.text`. */
export function canonicalText(expression: string, { type, digits }: Pick<Column, 'type' | 'digits'>): string {
  const text = `CAST(${expression} AS VARCHAR)`;
  switch (type) {
    case 'decimal':
      return digits?.[1] === 0 ? text : `rtrim(rtrim(${text}, '0'), '.')`;
    case 'datetime':
    case 'timestamp':
      // Sessions run in UTC, so both are read off the same clock.
      return `strftime(${expression}, ${TIME})`;
    default:
      return text;
  }
}

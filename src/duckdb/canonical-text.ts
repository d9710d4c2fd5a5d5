import type { Column } from '../domain/schema.ts';

const TIME = "'%Y-%m-%d %H:%M:%S.%f'";

/** Expression for a value's canonical text, which is the same in every warehouse; see `Dialect.text`. */
export function canonicalText(expression: string, { type, digits }: Pick<Column, 'type' | 'digits'>): string {
  const text = `CAST(${expression} AS VARCHAR)`;
  switch (type) {
    case 'decimal': {
      if (digits?.[1] === 0) return text;
      const short = `rtrim(rtrim(${text}, '0'), '.')`;
      // If all digits are after the point, DuckDB writes none before it: `.50`, `-.50`, `.00`.
      return digits !== undefined && digits[0] === digits[1]
        ? `CASE WHEN ${expression} = 0 THEN '0' ELSE replace(${short}, '.', '0.') END`
        : short;
    }
    case 'datetime':
    case 'timestamp':
      // Sessions run in UTC, so both types give the same text.
      return `strftime(${expression}, ${TIME})`;
    default:
      return text;
  }
}

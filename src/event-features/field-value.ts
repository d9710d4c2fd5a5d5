import type { FieldType, FieldValue } from './definition.ts';

/** A surrogate without its other half: no UTF-8 has it, so a warehouse would hold another text. */
const UNPAIRED = /\p{Surrogate}/u;

/**
 * @param value as `JSON.parse` made it, not null
 * @param escapes whether its JSON has `\u`, without which no surrogate is unpaired
 * @returns undefined if the value is not one of the type
 */
export function valueOfType(value: unknown, type: FieldType, escapes: boolean): FieldValue | undefined {
  switch (type) {
    case 'string':
      return typeof value === 'string' && !(escapes && UNPAIRED.test(value)) ? value : undefined;
    case 'int64':
      // JSON.parse rounds larger ones. The addition makes 0 of -0, which no integer column has.
      return Number.isSafeInteger(value) ? (value as number) + 0 : undefined;
    case 'float64':
      // JSON has no infinity, but 1e999 becomes one.
      return Number.isFinite(value) ? (value as number) : undefined;
    case 'bool':
      return typeof value === 'boolean' ? value : undefined;
  }
}

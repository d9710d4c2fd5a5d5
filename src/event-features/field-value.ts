import type { FieldType, FieldValue } from './definition.ts';

/** An unpaired surrogate: UTF-8 cannot encode it, so a warehouse would hold another string. */
const UNPAIRED = /\p{Surrogate}/u;

/**
 * @param value from `JSON.parse`, not null
 * @param escapes whether its JSON contains `\u`, without which no surrogate is unpaired
 * @returns undefined if the value is not of the type
 */
export function valueOfType(value: unknown, type: FieldType, escapes: boolean): FieldValue | undefined {
  switch (type) {
    case 'string':
      return typeof value === 'string' && !(escapes && UNPAIRED.test(value)) ? value : undefined;
    case 'int64':
      // JSON.parse rounds larger ones. Adding 0 turns -0, which no integer column has, into 0.
      return Number.isSafeInteger(value) ? (value as number) + 0 : undefined;
    case 'float64':
      // JSON has no infinity, but 1e999 parses as one.
      return Number.isFinite(value) ? (value as number) : undefined;
    case 'bool':
      return typeof value === 'boolean' ? value : undefined;
  }
}

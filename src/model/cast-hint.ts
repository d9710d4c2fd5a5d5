import type { Column, ColumnType } from '../domain/schema.ts';
import type { Feature } from '../domain/signature.ts';

const MAX_SHOWN = 6;

/**
 * The strings that a cast makes from each type: their form, and examples. The examples depend on the type alone, so that no
 * value of the table gets into a log.
 */
const TEXTS: Readonly<Partial<Record<ColumnType, { readonly form: RegExp; readonly shown: string }>>> = {
  bool: { form: /^(true|false)$/, shown: 'false and true' },
  integer: { form: /^-?\d+$/, shown: 'numbers such as 0 and 1' },
  decimal: { form: /^-?\d+\.\d+$/, shown: 'numbers such as 0.00 and 1.50' },
  float: { form: /^-?\d+\.\d+$/, shown: 'numbers such as 0.0 and 1.5' },
  date: { form: /^\d{4}-\d\d-\d\d$/, shown: 'dates such as 2026-01-31' },
  datetime: { form: /^\d{4}-\d\d-\d\d /, shown: 'times such as 2026-01-31 06:00:00' },
  timestamp: { form: /^\d{4}-\d\d-\d\d /, shown: 'times such as 2026-01-31 06:00:00+00' },
};

/**
 * What to do about a column whose type does not fit a feature.
 *
 * For a text feature, compares the strings that a cast would give with those that the model knows. A column of Yes and No that
 * was read as BOOLEAN casts to true and false, and no type check would notice.
 */
export function castHint({ type, digits }: Column, { categories }: Feature): string {
  // Snowflake's INTEGER is a decimal without a fraction.
  const texts = TEXTS[type === 'decimal' && digits?.[1] === 0 ? 'integer' : type];
  if (categories === undefined || texts === undefined) return 'cast it in the query if that loses no information';
  const known = `the model knows ${shown(categories)}`;
  if (categories.every((category) => texts.form.test(category))) {
    return `cast it in the query; that gives ${texts.shown}, and ${known}`;
  }
  return `a cast would give ${texts.shown}, and ${known}: map them with CASE in the query, or load the column as text`;
}

function shown(categories: readonly string[]): string {
  const some = categories.slice(0, MAX_SHOWN).map((category) => JSON.stringify(category));
  return categories.length > MAX_SHOWN ? `${some.join(', ')} and ${categories.length - MAX_SHOWN} more` : some.join(', ');
}

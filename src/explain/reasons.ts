import { withoutControls } from '../domain/printable.ts';
import { featuresOf, type InputDtype } from '../domain/signature.ts';
import type { Bundle } from '../model/bundle.ts';
import { fillTemplate } from '../model/reason-template.ts';
import type { Baseline } from './baseline.ts';

/** A raw value of a row. A numeric string is read as a number if the feature is one. */
export type RawValue = number | bigint | string | boolean | null;

/** How to write reasons about one feature. */
export interface ReasonText {
  readonly name: string;
  readonly dtype: InputDtype;
  readonly template: string | undefined;
  /** The usual value, formatted for people. */
  readonly usual: string;
  /** The mean of a numeric feature, formatted for people; undefined for other features. */
  readonly mean: string | undefined;
}

const NO_VALUE = 'no value';

/** Most characters of a string that a reason quotes. */
const MAX_TEXT = 60;

/** Reason texts for all features, in signature order. */
export function reasonTexts({ definition, signature }: Bundle, { cells }: Baseline): ReasonText[] {
  const templates = definition.inputs.flatMap(({ columns }) => columns.map(({ reason }) => reason));
  return featuresOf(signature).map(({ feature, dtype }, i) => ({
    name: feature.name,
    dtype,
    template: templates[i],
    usual: usualOf(cells[i] ?? [], dtype),
    mean: meanOf(cells[i] ?? [], dtype),
  }));
}

export interface Explained {
  readonly texts: readonly ReasonText[];
  /** `[rows, features]`, from `Explainer.explain`. */
  readonly values: Float64Array;
  readonly rows: number;
  /** How many features to name per row. */
  readonly features: number;
  /** A row's raw value of a feature, by position in the signature. */
  readonly cell: (row: number, feature: number) => RawValue;
}

/**
 * The features that raise each row's score most, as text. A feature whose value is not positive gives no reason.
 *
 * @returns per row exactly `features` entries, null if there are fewer reasons
 */
export function renderReasons({ texts, values, rows, features, cell }: Explained): (string | null)[][] {
  return Array.from({ length: rows }, (_, row) => {
    const own = values.subarray(row * texts.length, (row + 1) * texts.length);
    const chosen = topFeatures(own, features);
    return Array.from({ length: features }, (__, i) => {
      const feature = chosen[i];
      const text = feature === undefined ? undefined : texts[feature];
      return text === undefined || feature === undefined ? null : reasonFor(text, cell(row, feature));
    });
  });
}

/** Positions of the features with the largest positive values, largest first; ties in signature order. */
export function topFeatures(values: Float64Array, count: number): number[] {
  const positive = Array.from(values.keys()).filter((feature) => (values[feature] ?? 0) > 0);
  return positive.sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b).slice(0, count);
}

/** Even the usual value can be a reason: most users have it, but the others have a value with a lower score. */
function reasonFor({ name, dtype, template, usual, mean }: ReasonText, value: RawValue): string {
  const shownName = template === undefined ? name.replaceAll('_', ' ') : name;
  const own = shown(value, dtype);
  const others = own === usual && mean !== undefined && mean !== usual ? `${usual}, on average ${mean}` : usual;
  return fillTemplate(template, { value: own, usual: others, name: shownName });
}

/** Plain digits, at most two decimals: 12.5, not 1.25e1. */
const NUMBER = new Intl.NumberFormat('en-US', { useGrouping: false, maximumFractionDigits: 2, signDisplay: 'negative' });

function shown(value: RawValue, dtype: InputDtype): string {
  if (value === null || (typeof value === 'number' && Number.isNaN(value))) return NO_VALUE;
  if (dtype === 'string') return quoted(String(value));
  if (dtype === 'bool') return /^(true|1)$/i.test(String(value)) ? 'yes' : 'no';
  if (typeof value === 'bigint') return NUMBER.format(value);
  if (value === '') return NO_VALUE;
  const number = numberOf(value);
  return Number.isNaN(number) ? NO_VALUE : NUMBER.format(number);
}

/** A boolean column may feed a number. */
function numberOf(value: number | string | boolean): number {
  return typeof value === 'string' && /^(true|false)$/i.test(value) ? Number(/^true$/i.test(value)) : Number(value);
}

function quoted(text: string): string {
  const characters = [...withoutControls(text)];
  if (characters.length === 0) return 'empty';
  return characters.length > MAX_TEXT ? `${characters.slice(0, MAX_TEXT - 1).join('')}…` : characters.join('');
}

/**
 * For numbers a median that occurs among them, otherwise the most frequent value, the first of several. If most baseline rows
 * lack the feature, usually it has no value.
 */
function usualOf(cells: readonly (string | null)[], dtype: InputDtype): string {
  if (dtype === 'string' || dtype === 'bool') {
    const counts = new Map<string, number>();
    for (const cell of cells) {
      const text = shown(cell === '' && dtype === 'bool' ? null : cell, dtype);
      counts.set(text, (counts.get(text) ?? 0) + 1);
    }
    return [...counts].reduce((best, one) => (one[1] > best[1] ? one : best), [NO_VALUE, 0] as [string, number])[0];
  }
  const sorted = numbersOf(cells).sort();
  if (sorted.length * 2 < cells.length) return NO_VALUE;
  return shown(sorted[(sorted.length - 1) >> 1] ?? null, dtype);
}

function meanOf(cells: readonly (string | null)[], dtype: InputDtype): string | undefined {
  if (dtype === 'string' || dtype === 'bool') return undefined;
  const numbers = numbersOf(cells);
  if (numbers.length === 0) return undefined;
  return shown(numbers.reduce((sum, number) => sum + number, 0) / numbers.length, dtype);
}

function numbersOf(cells: readonly (string | null)[]): Float64Array {
  const numbers = cells.filter((cell) => cell !== null && cell !== '').map((cell) => numberOf(cell ?? ''));
  return Float64Array.from(numbers.filter((number) => !Number.isNaN(number)));
}

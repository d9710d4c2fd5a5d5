import { withoutControls } from '../domain/printable.ts';
import { featuresOf, type InputDtype } from '../domain/signature.ts';
import type { Bundle } from '../model/bundle.ts';
import { fillTemplate } from '../model/reason-template.ts';
import type { Baseline } from './baseline.ts';

/** A raw value of a row. Text of a number is read as one where the feature is a number. */
export type RawValue = number | bigint | string | boolean | null;

/** How the reasons about one feature are written. */
export interface ReasonText {
  readonly name: string;
  readonly dtype: InputDtype;
  readonly template: string | undefined;
  /** The usual value, as people read it. */
  readonly usual: string;
  /** The mean of a number, as people read it; undefined for other features. */
  readonly mean: string | undefined;
}

const NO_VALUE = 'no value';

/** Characters of a text that a reason quotes. */
const MAX_TEXT = 60;

/** Texts for all features, in the order of the signature. */
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
 * The features that raise the score of each row most, as texts. A feature whose value is not positive gives none.
 *
 * @returns per row exactly `features` entries, null where there are fewer reasons
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

/** Positions of the features with the largest positive values, largest first. Of equal ones the first in the signature leads. */
export function topFeatures(values: Float64Array, count: number): number[] {
  const positive = Array.from(values.keys()).filter((feature) => (values[feature] ?? 0) > 0);
  return positive.sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b).slice(0, count);
}

/** A value can be the usual one and still be a reason: most users have it, and the others have a value with a lower score. */
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
 * The median of numbers, one that occurs, and otherwise the most frequent value; the first of several. A feature that most
 * baseline rows lack usually has no value.
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

import { type Feature, featuresOf, type InputDtype } from '../../domain/signature.ts';
import type { OnlineModel } from '../online-model.ts';
import { type ExampleRow, exampleRows } from '../predict/examples.ts';

/** Most categories that a page lists; people can type others. */
const MAX_CATEGORIES = 500;
const MAX_EXAMPLES = 20;

/** A typical value further left than `USUAL_FROM` on its slider is moved to `USUAL_AT`. */
const USUAL_FROM = 0.2;
const USUAL_AT = 0.4;
const MAX_CURVE = 6;

/** A form field for a feature. */
interface Field {
  readonly name: string;
  readonly kind: 'number' | 'bool' | 'choice' | 'text';
  readonly nullable: boolean;
  readonly default?: number | string | boolean;
  readonly range?: readonly [number, number];
  /** Whether its slider steps through integers only. */
  readonly whole?: boolean;
  /** Exponent of the slider: position `p` of 0 to 1 is `low + (high - low) * p ** curve`. */
  readonly curve?: number;
  /** Choices; for `text`, suggestions. */
  readonly categories?: readonly string[];
}

/** What the page knows of a model's version. */
export interface PageModel {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly classes?: readonly string[];
  readonly fields: readonly Field[];
  readonly examples: readonly ExampleRow[];
}

export async function pageModel(model: OnlineModel): Promise<PageModel> {
  const { name, version, classes, bundle } = model;
  const examples = await exampleRows(model);
  return {
    name,
    version,
    description: bundle.definition.description ?? '',
    ...(classes && { classes }),
    fields: featuresOf(bundle.signature).map(({ feature, dtype }) =>
      fieldOf(
        feature,
        dtype,
        examples.flatMap((row) => row[feature.name] ?? []),
      ),
    ),
    examples: examples.slice(0, MAX_EXAMPLES),
  };
}

function fieldOf(feature: Feature, dtype: InputDtype, values: ExampleRow[string][]): Field {
  const { name, nullable, range, categories, unknown } = feature;
  const common = { name, nullable, ...(nullable && feature.default !== undefined && { default: feature.default }) };
  if (dtype === 'bool') return { ...common, kind: 'bool' };
  if (dtype === 'string') {
    const few = categories !== undefined && categories.length <= MAX_CATEGORIES;
    const kind = few && unknown === 'quarantine' ? 'choice' : 'text';
    return { ...common, kind, ...(categories && { categories: categories.slice(0, MAX_CATEGORIES) }) };
  }
  const numbers = values.filter((value) => typeof value === 'number').sort((a, b) => a - b);
  const whole = dtype === 'int64' || (numbers.length > 2 && numbers.every(Number.isInteger));
  return { ...common, kind: 'number', whole, ...(range && { range, curve: curveOf(range, numbers) }) };
}

/** Ranges are often far wider than typical values. The slider is bent to keep the median of the examples off its end. */
function curveOf([low, high]: readonly [number, number], sorted: readonly number[]): number {
  const median = sorted[sorted.length >> 1];
  if (median === undefined || !(high > low)) return 1;
  const share = (median - low) / (high - low);
  if (share <= 0 || share >= USUAL_FROM) return 1;
  return Math.min(MAX_CURVE, Math.log(share) / Math.log(USUAL_AT));
}

import { createHash } from 'node:crypto';
import type { RecordedFeature, RecordedGoldenRow, RecordedSignature } from '../domain/recorded-basis.ts';
import { type Feature, featuresOf, type InputDtype, type Signature } from '../domain/signature.ts';
import type { Bundle } from './bundle.ts';
import type { Cells } from './csv-rows.ts';
import { EXPECTED, expectedColumn, readGoldenCells } from './golden.ts';

const MAX_FEATURES = 200;
/** Most characters of all features, and of a feature's categories. */
const MAX_LISTED = 16_000;
const MAX_CATEGORIES = 200;
const MAX_DEFAULT = 100;
const GOLDEN_ROWS = 20;

/** A model's signature in the form of a ledger entry. */
export function recordSignature(signature: Signature): RecordedSignature {
  const features = featuresOf(signature);
  const listed: RecordedFeature[] = [];
  let room = MAX_LISTED;
  for (const { feature, dtype } of features.slice(0, MAX_FEATURES)) {
    const recorded = recordFeature(feature, dtype);
    room -= JSON.stringify(recorded).length;
    if (room < 0) break;
    listed.push(recorded);
  }
  const { name, index } = signature.output;
  return { features: features.length, listed, output: `${name}[${index}]` };
}

function recordFeature({ name, nullable, range, categories, unknown, ...more }: Feature, dtype: InputDtype): RecordedFeature {
  const json = categories && JSON.stringify(categories);
  return {
    name,
    dtype,
    ...(nullable && { nullable }),
    ...(more.default !== undefined && { default: shortDefault(more.default) }),
    ...(range && { range }),
    ...(json !== undefined && {
      categories: json.length <= MAX_CATEGORIES ? categories : digestOf(json),
      category_count: categories?.length,
    }),
    ...(unknown !== 'quarantine' && { unknown }),
  } as RecordedFeature;
}

function shortDefault(value: number | string | boolean): number | string | boolean {
  return typeof value === 'string' && value.length > MAX_DEFAULT ? digestOf(value) : value;
}

/** The first golden rows in the form of a ledger entry; undefined if they cannot be read. */
export async function recordGolden(bundle: Bundle): Promise<RecordedGoldenRow[] | undefined> {
  const rows = await readGoldenCells(bundle, GOLDEN_ROWS).catch(() => undefined);
  const names = featuresOf(bundle.signature).map(({ feature }) => feature.name);
  const column = expectedColumn(bundle.signature);
  const recorded = rows?.map((cells): RecordedGoldenRow => [rowDigest(cells, names), scoreOf(cells, column)]);
  return recorded?.filter(([, score]) => Number.isFinite(score));
}

/** The score of a row in the golden file. @param column see `expectedColumn` */
export function scoreOf(cells: Cells, column = EXPECTED): number {
  return Number(cells.get(column) || Number.NaN);
}

/**
 * Identifies a golden row by the values of some features, wherever it is in the file. Values could only be found by guessing.
 */
export function rowDigest(cells: Cells, features: readonly string[]): string {
  return digestOf(JSON.stringify([...features].sort().map((name) => [name, cells.get(name) ?? null])));
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

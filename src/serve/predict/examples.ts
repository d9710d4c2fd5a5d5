import { featuresOf, type InputDtype } from '../../domain/signature.ts';
import { readGoldenCells } from '../../model/golden.ts';
import type { OnlineModel } from '../online-model.ts';

/** A row as clients send it. */
export type ExampleRow = Readonly<Record<string, number | string | boolean | null>>;

/** Golden rows to choose examples from. */
const READ = 50;

const EXAMPLES = new WeakMap<OnlineModel, Promise<readonly ExampleRow[]>>();

/**
 * Golden rows of a model in the form in which clients send rows: they are known to be scorable. None if the file can no longer
 * be read, because examples are not worth failing for.
 */
export function exampleRows(model: OnlineModel): Promise<readonly ExampleRow[]> {
  const found = EXAMPLES.get(model) ?? read(model).catch(() => []);
  EXAMPLES.set(model, found);
  return found;
}

async function read({ bundle }: OnlineModel): Promise<ExampleRow[]> {
  const features = featuresOf(bundle.signature);
  const rows = await readGoldenCells(bundle, READ);
  return rows.map((cells) =>
    Object.fromEntries(features.map(({ feature, dtype }) => [feature.name, jsonValue(cells.get(feature.name) ?? null, dtype)])),
  );
}

function jsonValue(cell: string | null, dtype: InputDtype): number | string | boolean | null {
  if (cell === null) return null;
  if (dtype === 'string') return cell;
  if (dtype === 'bool') return /^(true|1(\.0*)?)$/i.test(cell);
  if (cell === '') return null;
  const number = /^true$/i.test(cell) ? 1 : /^false$/i.test(cell) ? 0 : Number(cell);
  // JSON has no NaN.
  return Number.isFinite(number) ? number : null;
}

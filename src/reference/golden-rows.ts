import { featuresOf, type Signature } from '../domain/signature.ts';
import { expectedColumns } from '../model/golden.ts';
import { spreadRows } from '../runtime/input-rows.ts';
import { type Cell, csvCell, csvName } from './cells.ts';
import type { Sample } from './sample.ts';

/** Limits the categories of a feature that get their own row, because every run scores all golden rows. */
const MAX_CATEGORIES = 100;

/**
 * Chooses golden rows: rows spread over the scores, or over the classes and their probabilities, and for each feature a null, the smallest and largest value, and each
 * category.
 *
 * @param wanted rows to spread over the scores
 * @returns row numbers in ascending order
 */
export function chooseGolden(signature: Signature, { rows, values }: Sample, wanted: number): number[] {
  const places = values.map(placeOf);
  const byScore = places.map((_, row) => row).sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0));
  const chosen = new Set(spreadRows(rows.length, wanted).map((place) => byScore[place] ?? 0));
  for (const [i, { dtype }] of featuresOf(signature).entries()) {
    const cells = rows.map((row) => row[i] ?? null);
    const special = dtype === 'string' || dtype === 'bool' ? firstOfEach(cells) : [firstNull(cells), ...extremes(cells)];
    for (const row of special) if (row >= 0) chosen.add(row);
  }
  return [...chosen].sort((a, b) => a - b);
}

/** A score; of classes, the position of the most probable one plus its probability. */
function placeOf(values: readonly number[]): number {
  const most = values.reduce((best, value, i) => (value > (values[best] ?? 0) ? i : best), 0);
  return most + (values[most] ?? 0);
}

function firstOfEach(cells: readonly Cell[]): number[] {
  const found = new Map<Cell, number>();
  for (const [row, cell] of cells.entries()) {
    if (!found.has(cell) && (found.size < MAX_CATEGORIES || cell === null)) found.set(cell, row);
  }
  return [...found.values()];
}

function firstNull(cells: readonly Cell[]): number {
  return cells.findIndex((cell) => cell === null || Number.isNaN(cell));
}

function extremes(cells: readonly Cell[]): number[] {
  let [least, greatest] = [-1, -1];
  for (const [row, cell] of cells.entries()) {
    if (cell === null || Number.isNaN(cell)) continue;
    if (least < 0 || cell < (cells[least] ?? 0)) least = row;
    if (greatest < 0 || cell > (cells[greatest] ?? 0)) greatest = row;
  }
  return [least, greatest];
}

/** The text of a golden file with these rows. The scores come from the source if it has any, otherwise from the model. */
export function goldenText(signature: Signature, { rows, values, expected }: Sample, chosen: readonly number[]): string {
  const header = [
    ...featuresOf(signature).map(({ feature }) => csvName(feature.name)),
    ...expectedColumns(signature).map(csvCell),
  ];
  const lines = chosen.map((row) =>
    [...(rows[row] ?? []).map(csvCell), ...(expected[row] ?? values[row] ?? []).map(String)].join(','),
  );
  return [header.join(','), ...lines, ''].join('\n');
}

import { featuresOf, type Signature } from '../domain/signature.ts';
import { csvCell, csvName } from './cells.ts';
import type { Sample } from './sample.ts';

/** Most rows of baseline.csv. */
const ROWS = 100;

/**
 * The text of baseline.csv: an even sample of the rows, in order. Reasons compare each explained row with these.
 *
 * @param random numbers from 0 to 1
 */
export function baselineText(signature: Signature, { rows }: Sample, random: () => number): string {
  const header = featuresOf(signature).map(({ feature }) => csvName(feature.name));
  const lines = chosenRows(rows.length, random).map((row) => rowText((rows[row] ?? []).map(csvCell)));
  return [header.join(','), ...lines, ''].join('\n');
}

/** Quotes a null that is the only feature: readers skip empty lines. */
function rowText(cells: readonly string[]): string {
  return cells.length === 1 && cells[0] === '' ? '""' : cells.join(',');
}

/** The first steps of a Fisher-Yates shuffle: all sets of rows are equally likely. */
function chosenRows(count: number, random: () => number): number[] {
  const places = Array.from({ length: count }, (_, row) => row);
  const wanted = Math.min(ROWS, count);
  for (let i = 0; i < wanted; i += 1) {
    const other = i + Math.floor(random() * (count - i));
    [places[i], places[other]] = [places[other] ?? 0, places[i] ?? 0];
  }
  return places.slice(0, wanted).sort((a, b) => a - b);
}

import type { RecordedGoldenRow, RecordedSignature } from '../domain/recorded-basis.ts';
import type { Cells } from '../model/csv-rows.ts';
import { rowDigest, scoreOf } from '../model/recorded-model.ts';

/** Golden rows that a bundle shares with an earlier one, and the scores that both give them. */
export interface GoldenChanges {
  /** Rows of the earlier bundle with scores in the ledger. */
  readonly recorded: number;
  /** How many of them the bundle also has. */
  readonly compared: number;
  /** Rows with other scores; `row` is the row in the bundle's golden file, from 1. */
  readonly changed: readonly { readonly row: number; readonly before: number; readonly after: number }[];
}

/** Smaller differences count as equal: golden scores are compared with this tolerance by default. */
const SAME = 1e-6;

/**
 * Compares golden rows by the values of the earlier bundle's features, wherever they are in the file.
 *
 * @param rows all golden rows of the bundle
 * @param column of its golden file with the scores
 * @returns undefined if its golden rows lack a feature of the earlier bundle, or not all of those features are known
 */
export function goldenChanges(
  recorded: readonly RecordedGoldenRow[],
  { features, listed }: RecordedSignature,
  rows: readonly Cells[],
  column?: string,
): GoldenChanges | undefined {
  const names = listed.map(({ name }) => name);
  if (names.length < features || names.some((name) => rows[0]?.has(name) === false)) return undefined;
  const now = new Map(rows.map((cells, i) => [rowDigest(cells, names), { row: i + 1, score: scoreOf(cells, column) }]));
  const both = recorded.flatMap(([digest, before]) => {
    const found = now.get(digest);
    return found === undefined ? [] : [{ row: found.row, before, after: found.score }];
  });
  const changed = both.filter(({ before, after }) => Math.abs(after - before) > SAME);
  return { recorded: recorded.length, compared: both.length, changed };
}

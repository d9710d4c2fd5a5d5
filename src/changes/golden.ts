import type { RecordedGoldenRow, RecordedSignature } from '../domain/recorded-basis.ts';
import type { Cells } from '../model/csv-rows.ts';
import { rowDigest, scoreOf } from '../model/recorded-model.ts';

/** The golden rows of an earlier bundle that a bundle has too, and the scores that both give them. */
export interface GoldenChanges {
  /** Rows of the earlier bundle whose scores the ledger has. */
  readonly recorded: number;
  /** How many of them the bundle has too. */
  readonly compared: number;
  /** Those whose scores differ; `row` counts the rows of the bundle's golden file from 1. */
  readonly changed: readonly { readonly row: number; readonly before: number; readonly after: number }[];
}

/** Scores that differ by less are the same: golden scores are compared with this tolerance by default. */
const SAME = 1e-6;

/**
 * Compares golden rows by the values of the earlier bundle's features, wherever they are in the file.
 *
 * @param rows all golden rows of the bundle
 * @param column of its golden file, with the scores
 * @returns undefined if its golden rows lack a feature of the earlier bundle, or not all of those are known
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

import type { Bands } from '../domain/bands.ts';
import type { Comparison, SideFacts } from '../domain/comparison.ts';
import type { TableReader } from '../warehouse/reader.ts';
import { assemble } from './assemble.ts';
import { withBands } from './banded-rows.ts';
import { readDistribution } from './distribution.ts';
import { readPairs } from './pair-sql.ts';
import { refuseOtherKeys } from './refuse.ts';
import type { ScoredRows } from './scored-rows.ts';

/** A side whose rows are in the reader's warehouse. */
export interface ComparedSide {
  readonly facts: SideFacts;
  readonly rows: ScoredRows;
}

export interface CompareOptions {
  readonly a: ComparedSide;
  readonly b: ComparedSide;
  /** Bands of the jobs, for a side whose rows have none. */
  readonly bands: { readonly a: Bands; readonly b: Bands };
  /** How many of the largest differences to list; 20 by default. */
  readonly largest?: number;
}

/** Default number of the largest differences to list. */
export const LARGEST = 20;

/**
 * Compares two sides in one warehouse with aggregating SQL: few rows leave it.
 *
 * @returns the comparison without outcomes, whose labels are in the source
 * @throws ScoreBatchError `configuration` if the keys of the sides differ
 */
export async function comparePublications(reader: TableReader, options: CompareOptions): Promise<Comparison> {
  const { a, b, bands, largest = LARGEST } = options;
  refuseOtherKeys({ name: a.facts.name, key: a.rows.key }, { name: b.facts.name, key: b.rows.key });
  const paired = async ({ rows }: ComparedSide, own: Bands) => ({ plain: rows, banded: await withBands(reader, rows, own) });
  const pairs = await readPairs(reader, await paired(a, bands.a), await paired(b, bands.b), largest);
  return assemble({
    a: { facts: a.facts, distribution: await readDistribution(reader, a.rows) },
    b: { facts: b.facts, distribution: await readDistribution(reader, b.rows) },
    ...{ pairs, bands: bands.a },
  });
}

import type { Cells } from '../cells.ts';
import type { FeatureLookup } from '../feature-lookup.ts';
import type { Lacking } from './brought.ts';

/** Looks up what rows lack, and writes it into their cells. @throws ServeFailure as `FeatureLookup.find` does */
export async function fillIn(lookup: FeatureLookup, cells: Cells, lacking: Lacking, signal: AbortSignal): Promise<void> {
  if (lacking.rows.length === 0) return;
  const columns = await lookup.find({ keys: lacking.keys, signal });
  for (const [feature, values] of columns) {
    for (const [i, row] of lacking.rows.entries()) {
      if (lacking.lacks(row, feature)) cells.put(feature, row, values[i] ?? null);
    }
  }
}

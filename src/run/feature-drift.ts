import { counted, grouped } from '../domain/counted.ts';
import { type FeatureCounts, featureDrift, type MeasuredDrift, worstFirst } from '../domain/feature-drift.ts';
import type { FrozenTable } from '../domain/frozen-table.ts';
import { findColumn } from '../domain/schema.ts';
import type { Plan } from '../plan/plan.ts';
import type { SelectText, TextRow } from '../warehouse/reader.ts';
import { type CountedFeature, countFeatures, divideFeatures, readFeatureCounts } from '../warehouse/sql/feature-counts.ts';

/** The drift of a window's features, with warnings about the figures. */
export interface WindowDrift {
  readonly drift: MeasuredDrift;
  readonly warnings: readonly string[];
}

/**
 * Measures the drift of the features over the raw values of the window's rows, those in quarantine included. Reads the frozen
 * rows; if there are none, the query runs again.
 *
 * @returns undefined if the plan does not ask for it, or the window has no rows
 */
export async function measureDrift(
  { drift: plan, source, query, window }: Plan,
  frozen: FrozenTable,
): Promise<WindowDrift | undefined> {
  if (plan === undefined || frozen.rows === 0) return undefined;
  const isTapped = frozen.tapped === true;
  // Frozen columns are named after key and kept columns first.
  const features = isTapped ? plan.features : plan.features.map((feature) => inFrozen(feature, frozen));
  const select = (statement: SelectText): Promise<readonly TextRow[]> =>
    isTapped ? source.select(query, statement) : source.selectFrozen(frozen, statement);
  const counts: FeatureCounts[] = [];
  for (const part of divideFeatures(features)) {
    const [row = []] = await select(countFeatures(part));
    counts.push(...readFeatureCounts(part, row));
  }
  const rows = counts[0]?.rows ?? 0;
  const other = counts.find((one) => one.rows !== frozen.rows);
  // An empty distribution has no PSI.
  const measured = counts.some((one) => one.rows === 0)
    ? []
    : features.flatMap(({ feature, reference }, i) => {
        const own = counts[i];
        return own === undefined ? [] : featureDrift(feature, reference, own);
      });
  return {
    drift: { rows, features: worstFirst(measured) },
    warnings:
      other === undefined
        ? []
        : [
            `the drift of the features was measured on different rows than were scored: the query of ${window.label} returned ${counted(frozen.rows, 'row')} to score and ${grouped(other.rows)} afterwards`,
          ],
  };
}

function inFrozen(feature: CountedFeature, { columns }: FrozenTable): CountedFeature {
  return { ...feature, column: findColumn(columns, feature.column.name) ?? feature.column };
}

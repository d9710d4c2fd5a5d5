import { GATES, type Gate, gatesOf } from '../domain/refusal.ts';
import type { RunRows } from '../domain/rows.ts';
import type { RunDetails } from '../domain/run-details.ts';
import type { JobDefinition } from '../job/schema.ts';

interface Assertion {
  readonly assertion: Gate;
  readonly success: boolean;
  readonly severity: 'error' | 'warn';
  readonly name: string;
  readonly expected?: string;
  readonly actual?: string;
  readonly column?: string;
}

/**
 * A run's gates as assertions: each that refused, with its number and limit, and each that was checked and passed. An overruled
 * gate still failed, as a warning.
 *
 * @param rows to which the gates were applied
 */
export function gateAssertions(definition: JobDefinition, rows: RunRows, details: RunDetails): Assertion[] {
  const { refused_by: refusals = [], accepted } = details;
  const overruled = new Set(accepted?.gates);
  const failed = refusals.map(({ gate, measured, limit, feature }): Assertion => {
    const column = feature && (definition.features[feature] ?? feature);
    return {
      ...{ assertion: gate, success: false, severity: overruled.has(gate) ? 'warn' : 'error' },
      name: feature === undefined ? `gates.${gate}` : `gates.${gate} of ${feature}`,
      ...{ expected: String(limit), actual: String(measured) },
      ...(column !== undefined && { column }),
    };
  });
  const refused = gatesOf(refusals);
  const passed = GATES.filter((gate) => !refused.includes(gate) && wasChecked(gate, definition, { rows, details, refused }));
  return [...failed, ...passed.map((gate) => asPassed(gate, definition))];
}

function asPassed(gate: Gate, { gates }: JobDefinition): Assertion {
  const limit = (gates as Readonly<Record<string, unknown>>)[gate];
  return {
    ...{ assertion: gate, success: true, severity: 'error', name: `gates.${gate}` },
    ...(limit !== undefined && { expected: JSON.stringify(limit) }),
  };
}

interface Checked {
  readonly rows: RunRows;
  readonly details: RunDetails;
  readonly refused: readonly Gate[];
}

/** Whether `applyGates` checked a gate: one without a limit, or on drift that was not measured, says nothing. */
function wasChecked(gate: Gate, { gates, source }: JobDefinition, { rows, details, refused }: Checked): boolean {
  // Without rows, the other gates mean nothing.
  if (gate === 'empty') return true;
  if (rows.frozen === 0) return false;
  switch (gate) {
    case 'never_seen':
    case 'min_rows':
    case 'all_quarantined':
      return true;
    case 'max_quarantine_rate':
      return !refused.includes('all_quarantined');
    case 'duplicates':
      return source.duplicates === 'refuse';
    case 'max_drop':
      return gates.max_drop !== undefined;
    case 'max_score_psi':
      return gates.max_score_psi !== undefined && (details.score_psi ?? details.score_psi_previous ?? null) !== null;
    case 'max_feature_psi':
    case 'max_null_share':
      return gates[gate] !== undefined && details.feature_drift !== undefined && rows.scored >= gates.psi_min_rows;
    case 'min_auc':
    case 'max_calibration_error':
      // These concern earlier windows, whose outcomes are known by now.
      return false;
  }
}

/**
 * Names of the gates. One with a limit in the job file has the name of its key. The others: `empty` (a window without rows),
 * `never_seen` (text that the model was not trained on), `duplicates` (with `source.duplicates: refuse`) and `all_quarantined`.
 * Reconciliation is not a gate: rows that do not add up are never published.
 */
export const GATES = [
  'empty',
  'never_seen',
  'min_rows',
  'duplicates',
  'all_quarantined',
  'max_quarantine_rate',
  'max_drop',
  'max_score_psi',
  'max_feature_psi',
  'max_null_share',
  'min_auc',
  'max_calibration_error',
] as const;
export type Gate = (typeof GATES)[number];

/** Short names for several gates. */
export const GATE_ALIASES: Readonly<Record<string, readonly Gate[]>> = { drift: ['max_score_psi', 'max_feature_psi'] };

/** Why a gate refused a run. Plain data, also stored in the ledger. */
export interface Refusal {
  readonly gate: Gate;
  /** A sentence with the number and the limit. */
  readonly message: string;
  /** In the unit of the limit: rows, a share from 0 to 1, a PSI, an AUC. */
  readonly measured: number;
  readonly limit: number;
  /** The feature, for a gate that measures features. */
  readonly feature?: string;
  /** What the scores of `max_score_psi` are compared with. */
  readonly baseline?: 'reference' | 'previous';
}

export function isGate(name: string): name is Gate {
  return (GATES as readonly string[]).includes(name);
}

/** The gates that refused, without duplicates, in order of refusal. */
export function gatesOf(refusals: readonly Pick<Refusal, 'gate'>[]): Gate[] {
  return [...new Set(refusals.map(({ gate }) => gate))];
}

/** Whether the refusal concerns drift, rather than missing or wrong rows. */
export function isDrift({ gate }: Pick<Refusal, 'gate'>): boolean {
  return gate === 'max_score_psi' || gate === 'max_feature_psi' || gate === 'max_null_share';
}

/** Compares the names that somebody accepts with the gates that refused. */
export interface ComparedNames {
  /** Accepted names that did not refuse, as written. */
  readonly idle: readonly string[];
  /** Gates that refused and are not accepted. */
  readonly missing: readonly Gate[];
}

/** @param names of gates, or aliases */
export function compareNames(names: readonly string[], refused: readonly Gate[]): ComparedNames {
  const meant = (name: string): readonly string[] => GATE_ALIASES[name] ?? [name];
  const all = new Set(names.flatMap(meant));
  return {
    idle: names.filter((name) => !meant(name).some((gate) => (refused as readonly string[]).includes(gate))),
    missing: refused.filter((gate) => !all.has(gate)),
  };
}

/** Refusals not among `known`: of another gate, feature or baseline. */
export function furtherRefusals(refusals: readonly Refusal[], known: readonly Refusal[]): Refusal[] {
  const id = ({ gate, feature, baseline }: Refusal) => JSON.stringify([gate, feature, baseline]);
  const ids = new Set(known.map(id));
  return refusals.filter((refusal) => !ids.has(id(refusal)));
}

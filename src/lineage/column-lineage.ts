import type { TableLayout } from '../domain/tables.ts';
import type { Plan } from '../plan/plan.ts';
import type { DatasetName } from './facets.ts';

/** How a column is computed from another; see OpenLineage's ColumnLineageDatasetFacet. */
interface Transformation {
  readonly type: 'DIRECT' | 'INDIRECT';
  readonly subtype: 'IDENTITY' | 'TRANSFORMATION' | 'AGGREGATION' | 'WINDOW' | 'SORT' | 'CONDITIONAL' | 'GROUP_BY';
  readonly description: string;
  /** Whether the original values can no longer be recovered. */
  readonly masking: boolean;
}

/** A column from which another is computed. */
export interface InputField extends DatasetName {
  readonly field: string;
  readonly transformations: readonly Transformation[];
}

type FieldLineage = Readonly<Record<string, { readonly inputFields: readonly InputField[] }>>;

/** Finds where a column of the query comes from; the query itself if unknown. */
export type Origins = (column: string) => readonly (DatasetName & { readonly field: string; readonly identity: boolean })[];

/** Columns of the query from which an output column is computed. */
interface Derivation extends Transformation {
  readonly columns: readonly string[];
}

type Lineage = Pick<Plan, 'key' | 'keep' | 'features' | 'classes' | 'bundle' | 'job'>;

/** The lineage of a table's columns. Columns that only state facts of the run, such as `run_id`, have none. */
export function columnLineage(table: TableLayout, derivations: ReadonlyMap<string, readonly Derivation[]>, origins: Origins) {
  const fields: Record<string, { inputFields: InputField[] }> = {};
  for (const { name } of table.columns) {
    const found = derivations.get(name);
    if (found !== undefined) fields[name] = { inputFields: found.flatMap((derivation) => inputFields(derivation, origins)) };
  }
  return fields satisfies FieldLineage;
}

function inputFields({ columns, type, subtype, description, masking }: Derivation, origins: Origins): InputField[] {
  return columns.flatMap((column) =>
    origins(column).map(({ namespace, name, field, identity }) => ({
      ...{ namespace, name, field },
      // If the query computes it, it is no longer the source column itself.
      transformations: [
        { type, subtype: identity || subtype !== 'IDENTITY' ? subtype : 'TRANSFORMATION', description, masking },
      ],
    })),
  );
}

/** Derivations for the columns of the scores, report and current tables, and the report files. */
export function scoreDerivations(plan: Lineage): Map<string, readonly Derivation[]> {
  const { name, version } = plan.bundle.definition;
  const keys = namesOf(plan.key);
  const features = namesOf(plan.features);
  const classes = namesOf(plan.classes?.columns ?? []);
  const fromModel = direct('TRANSFORMATION', `the ONNX model ${name} ${version}`, features);
  const ranked: Derivation[] = [
    { ...direct('WINDOW', 'the place of the score among those of the window', features), type: 'INDIRECT' },
    { ...direct('SORT', 'the order of equal scores', keys), type: 'INDIRECT' },
  ];
  return new Map<string, readonly Derivation[]>([
    ...identities(keys),
    ...identities(namesOf(plan.keep).filter((column) => !classes.includes(column))),
    ...classes.map((column) => [column, [fromModel]] as const),
    [plan.job.definition.score.column, [fromModel]],
    ...['rank', 'percentile', 'decile', 'band'].map((column) => [column, ranked] as const),
    ...Array.from({ length: plan.job.definition.score.reasons?.features ?? 0 }, (_, i) => {
      const why = 'names of the features that raise the score most';
      return [`reason_${i + 1}`, [direct('TRANSFORMATION', why, features)]] as const;
    }),
    ['holdout', [{ ...direct('CONDITIONAL', 'a hash of the key', keys), type: 'INDIRECT', masking: true }]],
  ]);
}

/** Derivations for the quarantine table. */
export function quarantineDerivations(plan: Lineage): Map<string, readonly Derivation[]> {
  const features = namesOf(plan.features);
  const keys = namesOf(plan.key);
  const masking = plan.job.definition.sink.quarantine_values === 'hash';
  const rejected: Derivation = {
    ...direct('CONDITIONAL', 'the first value that the model does not accept, or a key that occurs more than once', [
      ...features,
      ...keys,
    ]),
    type: 'INDIRECT',
  };
  return new Map<string, readonly Derivation[]>([
    ...identities(keys),
    ['reason', [rejected]],
    ['column_name', [rejected]],
    ['value', [{ ...direct('TRANSFORMATION', masking ? 'a hash of the value' : 'the value as text', features), masking }]],
  ]);
}

/** Derivations for the summary table: users by segment and band. */
export function summaryDerivations(plan: Lineage): Map<string, readonly Derivation[]> {
  const features = namesOf(plan.features);
  const segments = plan.job.definition.report.segments;
  const grouped: Derivation[] = [
    { ...direct('GROUP_BY', 'the segment', segments), type: 'INDIRECT' },
    { ...direct('GROUP_BY', 'the band of the score', features), type: 'INDIRECT' },
  ];
  const [band, mean] = [scoreDerivations(plan).get('band') ?? [], direct('AGGREGATION', 'of the scores', features)];
  return new Map<string, readonly Derivation[]>([
    ['segment_value', [direct('TRANSFORMATION', 'a column of the report, as text', segments)]],
    ['band', band],
    ['users', grouped],
    ['share', grouped],
    ['mean_score', [mean, ...grouped]],
    ['expected_churners', [mean, ...grouped]],
  ]);
}

/** Derivations for the drift table: how far each feature is from the bundle's reference. */
export function driftDerivations(plan: Lineage): Map<string, readonly Derivation[]> {
  const measured = [direct('AGGREGATION', 'of the values of each feature', namesOf(plan.features))];
  return new Map(['psi', 'null_share'].map((column) => [column, measured] as const));
}

function identities(columns: readonly string[]): (readonly [string, readonly Derivation[]])[] {
  return columns.map((column) => [column, [direct('IDENTITY', '', [column])]] as const);
}

function direct(subtype: Transformation['subtype'], description: string, columns: readonly string[]): Derivation {
  return { type: 'DIRECT', subtype, description, masking: false, columns };
}

function namesOf(columns: readonly { readonly name: string }[]): string[] {
  return [...new Set(columns.map(({ name }) => name))];
}

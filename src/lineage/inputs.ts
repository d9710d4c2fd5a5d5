import type { RunRows } from '../domain/rows.ts';
import type { RunDetails } from '../domain/run-details.ts';
import { featuresOf } from '../domain/signature.ts';
import type { Plan } from '../plan/plan.ts';
import { columnLineage, type InputField, type Origins } from './column-lineage.ts';
import { type DatasetName, type Facets, facet, type InputDataset } from './facets.ts';
import { gateAssertions } from './gates.ts';
import type { TracedQuery } from './traced-query.ts';

/** What is known of a run's rows. */
export interface KnownRows {
  readonly rows: RunRows | undefined;
  readonly details: RunDetails;
}

/** The run's inputs: the tables that the query reads, as far as they are known; the rows that it returned; and the model. */
export function inputDatasets(
  plan: Plan,
  traced: TracedQuery,
  query: DatasetName,
  known: KnownRows | undefined,
): InputDataset[] {
  const tables = traced.tables.map((table): InputDataset => ({ ...table, facets: { datasetType: typed('TABLE') } }));
  return [...tables, queryDataset(plan, traced, query, known), modelDataset(plan)];
}

/** Where the columns of the query come from: a table if known, otherwise the query. */
export function originsOf({ columns }: TracedQuery, query: DatasetName): Origins {
  return (column) => columns.get(column.toLowerCase()) ?? [{ ...query, field: column, identity: true }];
}

function queryDataset(plan: Plan, traced: TracedQuery, query: DatasetName, known: KnownRows | undefined): InputDataset {
  const fields = plan.needed.map(({ name, native }, i) => ({ name, type: native, ordinal_position: i + 1 }));
  const lineage = queryLineage(plan, traced);
  const inputFacets = known && knownFacets(plan, known);
  return {
    ...query,
    facets: {
      datasetType: typed('VIEW', 'TEMPORARY'),
      schema: facet('SchemaDatasetFacet', { fields }),
      ...(Object.keys(lineage).length > 0 && { columnLineage: facet('ColumnLineageDatasetFacet', { fields: lineage }) }),
      ...(known?.rows && { dataQualityMetrics: metrics(plan, known.rows, known.details) }),
    },
    ...(inputFacets && { inputFacets }),
  };
}

/** Columns of the query with a known table. */
function queryLineage({ needed, job }: Plan, { columns }: TracedQuery) {
  const found = needed.filter(({ name }) => columns.has(name.toLowerCase()));
  const derivations = new Map(
    found.map(({ name }) => [
      name,
      [{ type: 'DIRECT', subtype: 'IDENTITY', description: '', masking: false, columns: [name] } as const],
    ]),
  );
  const layout = { name: [job.definition.name], columns: found.map(({ name }) => ({ name, type: 'string' as const })) };
  return columnLineage(layout, derivations, (column) => columns.get(column.toLowerCase()) ?? []) satisfies Record<
    string,
    { inputFields: InputField[] }
  >;
}

function knownFacets({ job }: Plan, { rows, details }: KnownRows): Facets {
  if (rows === undefined) return {};
  // A slice's gates apply to the whole table.
  const users = details.slice_outcome?.users ?? rows.frozen;
  // Recorded when the gates are applied.
  const checked = details.rejections !== undefined;
  return {
    inputStatistics: facet('InputStatisticsInputDatasetFacet', { rowCount: rows.frozen }),
    ...(checked && {
      dataQualityAssertions: facet('DataQualityAssertionsDatasetFacet', {
        assertions: gateAssertions(job.definition, { ...rows, frozen: users }, details),
      }),
    }),
  };
}

/** Rows read and, if drift was measured, the nulls of each feature. */
function metrics({ bundle, features }: Plan, { frozen }: RunRows, { feature_drift: drift }: RunDetails) {
  const columnMetrics: Record<string, object> = {};
  for (const [i, { feature }] of featuresOf(bundle.signature).entries()) {
    const measured = drift?.features.find((other) => other.feature === feature.name);
    const column = features[i]?.name;
    if (drift !== undefined && measured && column !== undefined)
      columnMetrics[column] = { nullCount: Math.round(measured.null_share * drift.rows) };
  }
  return facet('DataQualityMetricsDatasetFacet', { rowCount: frozen, columnMetrics });
}

/** A file, or a registered model with the version that the run pinned. */
function modelDataset({ bundle, job }: Plan): InputDataset {
  const registered = job.located?.model?.registered;
  const version = registered?.version ?? `sha256:${bundle.digest}`;
  return {
    ...(registered ? { namespace: 'mlflow', name: registered.name } : { namespace: 'file', name: bundle.file }),
    facets: {
      datasetType: typed('MODEL'),
      version: facet('DatasetVersionDatasetFacet', { datasetVersion: version }),
    },
  };
}

export function typed(datasetType: string, subType?: string) {
  return facet('DatasetTypeDatasetFacet', { datasetType, ...(subType !== undefined && { subType }) });
}

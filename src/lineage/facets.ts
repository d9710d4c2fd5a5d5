import { VERSION } from '../versions.ts';

/** A part of an event, with its schema. */
export interface Facet {
  readonly _producer: string;
  readonly _schemaURL: string;
  readonly [key: string]: unknown;
}

export type Facets = Readonly<Record<string, Facet>>;

/** A table, a file, or the rows of the job's query. */
export interface DatasetName {
  readonly namespace: string;
  readonly name: string;
}

interface Dataset extends DatasetName {
  readonly facets: Facets;
}

export interface InputDataset extends Dataset {
  readonly inputFacets?: Facets;
}

export interface OutputDataset extends Dataset {
  readonly outputFacets?: Facets;
}

/** An OpenLineage RunEvent. */
export interface RunEvent {
  readonly eventType: 'START' | 'RUNNING' | 'COMPLETE' | 'ABORT' | 'FAIL';
  /** ISO string. */
  readonly eventTime: string;
  readonly producer: string;
  readonly schemaURL: string;
  readonly run: { readonly runId: string; readonly facets: Facets };
  readonly job: DatasetName & { readonly facets: Facets };
  readonly inputs: readonly InputDataset[];
  readonly outputs: readonly OutputDataset[];
}

/** A package URL: https://github.com/package-url/purl-spec */
export const PRODUCER = `pkg:npm/score-batch@${VERSION}`;

export const EVENT_SCHEMA = 'https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent';

/** The specification's facets that events use, and their versions. */
const SCHEMAS = {
  ColumnLineageDatasetFacet: '1-2-0',
  DataQualityAssertionsDatasetFacet: '1-1-0',
  DataQualityMetricsDatasetFacet: '1-0-1',
  DatasetTypeDatasetFacet: '1-0-1',
  DatasetVersionDatasetFacet: '1-0-1',
  ErrorMessageRunFacet: '1-0-1',
  InputStatisticsInputDatasetFacet: '1-0-0',
  JobTypeJobFacet: '2-0-4',
  NominalTimeRunFacet: '1-0-1',
  OutputStatisticsOutputDatasetFacet: '1-0-2',
  ParentRunFacet: '1-2-0',
  ProcessingEngineRunFacet: '1-1-1',
  SQLJobFacet: '1-1-0',
  SchemaDatasetFacet: '1-2-0',
} as const;

export function facet(schema: keyof typeof SCHEMAS, content: object): Facet {
  const url = `https://openlineage.io/spec/facets/${SCHEMAS[schema]}/${schema}.json#/$defs/${schema}`;
  return { _producer: PRODUCER, _schemaURL: url, ...content };
}

/** Our own facet, whose schema is in the package: `schemas/lineage/run-facet.schema.json`. */
export function ownRunFacet(content: object): Facet {
  return { _producer: PRODUCER, _schemaURL: `${PRODUCER}#schemas/lineage/run-facet.schema.json`, ...content };
}

import type { RunRows } from '../domain/rows.ts';
import type { RunDetails } from '../domain/run-details.ts';
import type { TableColumn, TableLayout } from '../domain/tables.ts';
import type { Plan } from '../plan/plan.ts';
import { reportColumns } from '../report/columns.ts';
import {
  columnLineage,
  driftDerivations,
  type Origins,
  quarantineDerivations,
  scoreDerivations,
  summaryDerivations,
} from './column-lineage.ts';
import { fileDataset, tableNaming } from './datasets.ts';
import { type DatasetName, facet, type OutputDataset } from './facets.ts';
import { typed } from './inputs.ts';

/** What a run has published. */
export interface PublishedRun {
  readonly runId: string;
  readonly rows: RunRows | undefined;
  readonly details: RunDetails;
}

interface Output {
  readonly dataset: DatasetName;
  readonly type: 'TABLE' | 'FILE';
  readonly layout: TableLayout;
  readonly derivations: ReturnType<typeof scoreDerivations>;
  /** Rows that the run wrote; undefined if unknown. */
  readonly rows: number | undefined;
  /** The score column, which is never null; undefined if there is none. */
  readonly score?: string;
}

/** The tables and files that a publication wrote. */
export function outputDatasets(plan: Plan, published: PublishedRun, origins: Origins): OutputDataset[] {
  return outputsOf(plan, published).map(({ dataset, type, layout, derivations, rows, score }) => {
    const fields = columnLineage(layout, derivations, origins);
    return {
      ...dataset,
      facets: {
        datasetType: typed(type),
        version: facet('DatasetVersionDatasetFacet', { datasetVersion: published.runId }),
        ...(layout.columns.length > 0 && {
          schema: facet('SchemaDatasetFacet', { fields: layout.columns.map(asField) }),
          columnLineage: facet('ColumnLineageDatasetFacet', { fields }),
        }),
        ...(rows !== undefined && {
          dataQualityMetrics: facet('DataQualityMetricsDatasetFacet', {
            rowCount: rows,
            columnMetrics: score === undefined ? {} : { [score]: { nullCount: 0, count: rows } },
          }),
        }),
      },
      ...(rows !== undefined && {
        outputFacets: { outputStatistics: facet('OutputStatisticsOutputDatasetFacet', { rowCount: rows }) },
      }),
    };
  });
}

function outputsOf(plan: Plan, { rows, details }: PublishedRun): Output[] {
  const { definition, root } = plan.job;
  const nameOf = tableNaming(definition.sink.warehouse ?? definition.source.warehouse, root);
  const table = (layout: TableLayout, derivations: Output['derivations'], count: number | undefined): Output => ({
    ...{ dataset: nameOf(layout.name), type: 'TABLE', layout, derivations, rows: count },
  });
  const { scores, quarantine, report, summary, drift } = plan.tables;
  const derived = scoreDerivations(plan);
  const score = definition.score.column;
  const also = new Set(details.also_wrote);
  // A slice changes rows of its table; the table's total is another number.
  const scored = plan.slice ? undefined : rows?.scored;
  const written: Output[] = [
    { ...table(scores, derived, scored), ...(!plan.slice && { score }) },
    table(quarantine, quarantineDerivations(plan), rows?.quarantined),
    ...(report && also.has('report') ? [{ ...table(report, derived, scored), score }] : []),
    ...(summary && also.has('summary') ? [table(summary, summaryDerivations(plan), undefined)] : []),
    ...(drift && also.has('drift') ? [table(drift, driftDerivations(plan), details.feature_drift?.measured)] : []),
  ];
  return [...written, ...filesOf(plan, { rows: rows?.scored, derivations: derived, written: details.files })];
}

interface Files {
  readonly rows: number | undefined;
  readonly derivations: Output['derivations'];
  /** Paths of the files written. */
  readonly written: readonly string[] | undefined;
}

/** Files with a row per user have the report's columns; pages have none. */
function filesOf({ reportFiles, tables, job }: Plan, { rows, derivations, written = [] }: Files): Output[] {
  return reportFiles
    .filter(({ path }) => written.includes(path))
    .map(({ kind, path }) => {
      const dataset = fileDataset(path);
      if (kind !== 'csv' && kind !== 'parquet')
        return { dataset, type: 'FILE', layout: { name: [], columns: [] }, derivations: new Map(), rows: undefined };
      const layout = { name: [], columns: reportColumns(tables.scores.columns) };
      return { dataset, type: 'FILE', layout, derivations, rows, score: job.definition.score.column };
    });
}

function asField({ name, type, digits }: TableColumn, i: number) {
  return { name, type: digits === undefined ? type : `${type}(${digits.join(',')})`, ordinal_position: i + 1 };
}

import { createHash } from 'node:crypto';
import { showTableName, type TableName } from '../../domain/table-name.ts';
import { ScoreBatchError } from '../../errors.ts';

export interface DatasetName {
  readonly project: string;
  readonly dataset: string;
}

/** A fully qualified table name. */
export interface FullName extends DatasetName {
  readonly table: string;
}

/** Ids of projects, which may be domain-scoped: `example.com:project`. */
const PROJECT = /^(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]*$/i;

/** https://cloud.google.com/bigquery/docs/datasets#dataset-naming */
const DATASET = /^\w{1,1024}$/;

/** https://cloud.google.com/bigquery/docs/tables#table_naming */
const TABLE = /^[\p{L}\p{M}\p{N}\p{Pc}\p{Pd}\p{Zs}]{1,1024}$/u;

/** `dataset` or `project.dataset`. @throws ScoreBatchError `configuration` if it is neither */
export function parseDataset(text: string, project: string): DatasetName {
  const end = text.lastIndexOf('.');
  const [other, dataset] = end < 0 ? [project, text] : [text.slice(0, end), text.slice(end + 1)];
  if (PROJECT.test(other) && DATASET.test(dataset)) return { project: other, dataset };
  throw new ScoreBatchError('configuration', `scratch: ${text} is not a BigQuery dataset`, {
    hint: 'write dataset or project.dataset; a dataset name has only letters, digits and underscores',
  });
}

/**
 * The full name of a job's table; missing parts come from the warehouse's URL.
 *
 * @throws ScoreBatchError `configuration` if BigQuery does not allow the name
 */
export function fullName(name: TableName, { project, dataset }: DatasetName): FullName {
  const [table = '', ownDataset = dataset, ownProject = project] = [...name].reverse();
  const refuse = (part: string, what: string, hint: string) => {
    throw new ScoreBatchError(
      'configuration',
      `${showTableName(name)}: ${JSON.stringify(part)} is not a valid BigQuery ${what}`,
      {
        hint: `${hint}; check sink.table, report.table, report.summary_table and report.drift_table`,
      },
    );
  };
  if (!PROJECT.test(ownProject)) refuse(ownProject, 'project id', 'a project id has letters, digits and dashes');
  if (!DATASET.test(ownDataset))
    refuse(ownDataset, 'dataset name', 'a dataset name has letters, digits and underscores, but no dashes');
  if (!TABLE.test(table)) refuse(table, 'table name', 'a table name has letters, digits, underscores, dashes and spaces');
  return { project: ownProject, dataset: ownDataset, table };
}

/** The name in the form that the dialect takes. */
export function partsOf({ project, dataset, table }: FullName): TableName {
  return [project, dataset, table];
}

/**
 * Encodes a run's or job's name, which can contain any character, for use in a table name or job id. Distinct names stay
 * distinct.
 */
export function suffixOf(name: string): string {
  return /^[\w-]{1,100}$/.test(name) ? name : digest(name);
}

/** A 16-character digest of the strings. */
export function digest(...texts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(texts)).digest('hex').slice(0, 16);
}

import { createHash } from 'node:crypto';
import { showTableName, type TableName } from '../../domain/table-name.ts';
import { ScoreBatchError } from '../../errors.ts';

export interface DatasetName {
  readonly project: string;
  readonly dataset: string;
}

/** A table by all parts of its name. */
export interface FullName extends DatasetName {
  readonly table: string;
}

/** `dataset` or `project.dataset`. @throws ScoreBatchError `configuration` where it is neither */
export function parseDataset(text: string, project: string): DatasetName {
  const [, other, dataset] = /^(?:([a-z][a-z0-9.:-]*)\.)?(\w+)$/i.exec(text) ?? [];
  if (dataset !== undefined) return { project: other ?? project, dataset };
  throw new ScoreBatchError('configuration', `scratch: ${text} is no BigQuery dataset`, {
    hint: 'write dataset or project.dataset',
  });
}

/** A job's table; what its name leaves out is what the warehouse's URL says. */
export function fullName(name: TableName, { project, dataset }: DatasetName): FullName {
  const [table, ownDataset = dataset, ownProject = project] = [...name].reverse();
  if (table === undefined) throw new Error(`${showTableName(name)} names no table`);
  return { project: ownProject, dataset: ownDataset, table };
}

/** As the dialect takes it. */
export function partsOf({ project, dataset, table }: FullName): TableName {
  return [project, dataset, table];
}

/**
 * Part of a table's name or a job's id that stands for a run's or a job's name, in which everything can be; equal for equal
 * names only.
 */
export function suffixOf(name: string): string {
  return /^[\w-]{1,100}$/.test(name) ? name : digest(name);
}

/** Sixteen characters that stand for some texts. */
export function digest(...texts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(texts)).digest('hex').slice(0, 16);
}

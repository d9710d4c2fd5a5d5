import path from 'node:path';
import type { Plan } from '../plan/plan.ts';
import { tableNaming } from './datasets.ts';
import type { DatasetName } from './facets.ts';
import { queryColumns } from './query-columns.ts';
import { queryTree, type ReadTable, readTables } from './query-tree.ts';
import { type TracedQuery, UNTRACED } from './traced-query.ts';

/**
 * Where the rows of a run's query certainly come from. A job on events names its tables in the job file; a query in DuckDB's
 * SQL goes through DuckDB's parser. Never rejects: lineage without sources is better than none.
 */
export async function sourcesOf({ job, query, needed }: Plan): Promise<TracedQuery> {
  const nameOf = tableNaming(job.definition.source.warehouse, job.root);
  if (job.events) return { ...UNTRACED, tables: job.events.tables.map(({ table }) => nameOf(table)) };
  if (job.kind !== 'duckdb') return UNTRACED;
  try {
    const tree = await queryTree(query);
    const datasetsOf = ({ table, files = [] }: ReadTable): DatasetName[] => (table ? [nameOf(table)] : files.map(fileOf));
    const one = (read: ReadTable): DatasetName | undefined => {
      const [only, ...more] = datasetsOf(read);
      return more.length === 0 ? only : undefined;
    };
    return {
      tables: readTables(tree).flatMap(datasetsOf),
      columns: queryColumns(
        tree,
        one,
        needed.map(({ name }) => name),
      ),
    };
  } catch {
    return UNTRACED;
  }
}

/** A file that a query reads; relative paths start at the working folder. */
function fileOf(file: string): DatasetName {
  return /^[a-z0-9]+:\/\//i.test(file) ? remoteFile(file) : { namespace: 'file', name: path.resolve(file) };
}

/** Removes user and password, and the query string, which can contain keys and signatures. */
export function remoteFile(file: string): DatasetName {
  // In store paths, a question mark may be a wildcard.
  const query = /^https?:/i.test(file) ? /[?#].*$/s : /\?[^/?]*=.*$/s;
  const plain = file.replace(/^([a-z0-9]+:\/\/)[^/]*@/i, '$1').replace(query, '');
  const [, namespace = '', name = ''] = /^([a-z0-9]+:\/\/[^/]*)\/?(.*)$/is.exec(plain) ?? [];
  return { namespace, name };
}

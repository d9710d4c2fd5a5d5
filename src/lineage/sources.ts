import path from 'node:path';
import type { Plan } from '../plan/plan.ts';
import { tableNaming } from './datasets.ts';
import type { DatasetName } from './facets.ts';
import { queryColumns } from './query-columns.ts';
import { queryTree, type ReadTable, readTables } from './query-tree.ts';
import { type TracedQuery, UNTRACED } from './traced-query.ts';

/**
 * Where the rows of a run's query come from, as far as it is known for sure. The tables of a job on events are those of its job file;
 * a query in the SQL of DuckDB is read by DuckDB's parser. Never rejects: lineage without sources is better than none.
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

/** A file that a query reads, relative to the folder of the process. */
function fileOf(file: string): DatasetName {
  return /^[a-z0-9]+:\/\//i.test(file) ? remoteFile(file) : { namespace: 'file', name: path.resolve(file) };
}

/** Without user and password, and without a query string, which can hold keys and signatures. */
export function remoteFile(file: string): DatasetName {
  // In stores a question mark can stand for any letter.
  const query = /^https?:/i.test(file) ? /[?#].*$/s : /\?[^/?]*=.*$/s;
  const plain = file.replace(/^([a-z0-9]+:\/\/)[^/]*@/i, '$1').replace(query, '');
  const [, namespace = '', name = ''] = /^([a-z0-9]+:\/\/[^/]*)\/?(.*)$/is.exec(plain) ?? [];
  return { namespace, name };
}

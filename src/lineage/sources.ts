import type { Plan } from '../plan/plan.ts';
import { tableNaming } from './datasets.ts';
import { type TracedQuery, UNTRACED } from './traced-query.ts';

/**
 * Where the rows of a run's query come from, as far as it is known for sure. The tables of a job on events are those of its job file;
 * a query in the SQL of DuckDB is read by DuckDB's parser. Never rejects: lineage without sources is better than none.
 */
export async function sourcesOf({ job }: Plan): Promise<TracedQuery> {
  const nameOf = tableNaming(job.definition.source.warehouse, job.root);
  if (job.events) return { ...UNTRACED, tables: job.events.tables.map(({ table }) => nameOf(table)) };
  return UNTRACED;
}

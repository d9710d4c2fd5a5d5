import path from 'node:path';
import type { Context } from '../context.ts';
import { isModelUri } from '../domain/model-uri.ts';
import { sqlTable } from '../domain/sql-name.ts';
import { parseTableName } from '../domain/table-name.ts';
import { warehouseKind } from '../domain/warehouse-kind.ts';
import { ScoreBatchError } from '../errors.ts';
import type { JobFacts, QueryFacts } from '../job/template.ts';
import { loadBundle } from '../model/bundle.ts';
import { firstJob } from '../plan/first-job.ts';
import { propose } from '../plan/proposal.ts';
import { tableColumns } from '../plan/table-columns.ts';
import { bundleArgument } from './bundle-argument.ts';

/** Most classes to list for a choice. */
const MAX_CLASSES = 10;

const DEFAULT_WAREHOUSE = 'duckdb:data/warehouse.duckdb';

/**
 * Derives a job from a model and the columns of a table.
 *
 * @throws ScoreBatchError `usage` if the table's name is not valid, otherwise as for the bundle or the warehouse
 */
export async function introspect(
  { model, table, warehouse }: { readonly model: string; readonly table: string; readonly warehouse: string | undefined },
  context: Context,
): Promise<{ readonly job: JobFacts; readonly query: QueryFacts; readonly open: readonly string[] }> {
  const name = parseTableName(table);
  if (name === undefined) {
    throw new ScoreBatchError('usage', `--table ${table} is not a valid table name`, {
      hint: 'use schema.table, with double quotes around unusual names',
    });
  }
  const url = warehouse ?? (context.environment.WAREHOUSE_URL || DEFAULT_WAREHOUSE);
  // An unsupported URL is refused when it is opened.
  const kind = warehouseKind(url) ?? 'duckdb';
  const bundle = await loadBundle(await bundleArgument(model, context));
  const classes = bundle.signature.classes?.labels.slice(0, MAX_CLASSES);
  const columns = await tableColumns(url, sqlTable(name, kind), context);
  const { job, query, open } = firstJob(propose(bundle.signature, columns, name.at(-1) ?? ''), name, kind);
  return {
    job: {
      ...job,
      model: isModelUri(model) ? model : path.relative(context.folder, bundle.folder).split(path.sep).join('/') || '.',
      scoreColumn: 'score',
      classes,
      // The shell has already replaced its variables. A remaining `${` must not become a variable of the job file.
      ...(warehouse !== undefined && { warehouse: JSON.stringify(warehouse.replaceAll('${', '$${')) }),
    },
    query,
    open: classes === undefined ? open : [...open, `choose the class whose probability is the score: ${classes.join(', ')}`],
  };
}

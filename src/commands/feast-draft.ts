import path from 'node:path';
import type { Context } from '../context.ts';
import { featuresOf } from '../domain/signature.ts';
import { sqlTable } from '../domain/sql-name.ts';
import { parseTableName } from '../domain/table-name.ts';
import { warehouseKind } from '../domain/warehouse-kind.ts';
import { ScoreBatchError } from '../errors.ts';
import { readRepo } from '../feast/history/dump.ts';
import { AS_OF, featureColumns, historyQuery, joinKeysOf } from '../feast/history/query.ts';
import { viewsOf } from '../feast/history/service.ts';
import type { JobFacts } from '../job/template.ts';
import { loadBundle } from '../model/bundle.ts';

export interface FeastFlags {
  /** Folder of a Feast repo, or file of its registry as JSON. */
  readonly feast: string;
  readonly service?: string | undefined;
  readonly model?: string | undefined;
  readonly table?: string | undefined;
  readonly warehouse?: string | undefined;
}

const DEFAULT_WAREHOUSE = 'duckdb:data/warehouse.duckdb';
const EXAMPLE_TABLE = 'rows_to_score';

/**
 * Derives job and query from a Feast feature service.
 *
 * @throws ScoreBatchError `usage` for an invalid table name, otherwise as for the repo, the service or the bundle
 */
export async function feastDraft(
  { feast, service: wanted, model, table = EXAMPLE_TABLE, warehouse }: FeastFlags,
  { folder, environment }: Context,
): Promise<{ readonly job: JobFacts; readonly sql: string; readonly open: readonly string[] }> {
  const parsed = parseTableName(table);
  if (parsed === undefined) {
    throw new ScoreBatchError('usage', `--table ${table} is not a valid table name`, {
      hint: 'use schema.table, with double quotes around unusual names',
    });
  }
  const repo = path.resolve(folder, feast);
  const { service, views } = viewsOf(await readRepo(repo, environment), wanted);
  const kind = warehouseKind(warehouse ?? (environment.WAREHOUSE_URL || DEFAULT_WAREHOUSE)) ?? 'duckdb';
  // Files are relative to the repo, queries to the project.
  const base = path.extname(repo) === '.json' ? path.dirname(repo) : repo;
  const file = (uri: string) =>
    /^\w+:\/\//.test(uri) ? uri : path.relative(folder, path.resolve(base, uri)).split(path.sep).join('/');
  const sql = historyQuery({ service, views, kind, table: sqlTable(parsed, kind), file });
  const columns = featureColumns(views).flat();
  const bundle = model === undefined ? undefined : await loadBundle(path.resolve(folder, model));
  const needed = bundle === undefined ? [] : featuresOf(bundle.signature).map(({ feature }) => feature.name);
  const missing = needed.filter((name) => !columns.includes(name));
  return {
    job: {
      ...(bundle !== undefined && { model: path.relative(folder, bundle.folder).split(path.sep).join('/') || '.' }),
      key: joinKeysOf(views),
      keyComment: 'join keys of the service, with one row per key and window',
      scoreColumn: 'score',
      classes: bundle?.signature.classes?.labels,
      ...(warehouse !== undefined && { warehouse: JSON.stringify(warehouse.replaceAll('${', '$${')) }),
    },
    sql,
    open: [
      ...(table === EXAMPLE_TABLE ? [`name the table of the rows to score, with ${AS_OF}, in the query (--table)`] : []),
      ...missing.map((name) => `add ${name} to the query: ${service} does not have it`),
    ],
  };
}

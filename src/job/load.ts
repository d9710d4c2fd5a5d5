import { existsSync } from 'node:fs';
import path from 'node:path';
import { type WarehouseKind, warehouseKind } from '../domain/warehouse-kind.ts';
import { ScoreBatchError } from '../errors.ts';
import { locateJob, projectRoot, readText } from './locate.ts';
import { parseJob } from './parse.ts';
import type { JobDefinition } from './schema.ts';
import { isBlank, singleStatement } from './sql-code.ts';

/** A job file and its query, read once. */
export interface Job {
  readonly file: string;
  readonly root: string;
  readonly definition: JobDefinition;
  /** The query's text without a final semicolon. */
  readonly query: string;
  /** The query's name in messages: its file, or its key in the job file. */
  readonly queryName: string;
  /** Kind of the source warehouse: the query is in its SQL. */
  readonly kind: WarehouseKind;
}

/**
 * @param name value of `--job`
 * @param folder working directory of the command
 * @throws ScoreBatchError `usage` if there is no such job, `configuration` if the job file or the query has problems
 */
export async function loadJob(name: string | undefined, folder: string, environment: NodeJS.ProcessEnv): Promise<Job> {
  const file = await locateJob(name, folder, environment);
  const definition = parseJob(await readText(file, 'the job file'), path.relative(folder, file), environment);
  const root = projectRoot(file);
  const { query, query_file, warehouse } = definition.source;
  // A URL of an unsupported kind is refused when the warehouse is opened.
  const kind = warehouseKind(warehouse) ?? 'duckdb';
  const queryName = query_file === undefined ? 'source.query' : twinOf(query_file, kind, root);
  const text = query ?? (await readText(path.resolve(root, queryName), 'the query file'));
  const statement = singleStatement(text, kind);
  if (statement === undefined || isBlank(statement, kind)) {
    throw new ScoreBatchError(
      'configuration',
      `${queryName} ${statement === undefined ? 'contains more than one statement' : 'is empty'}`,
      {
        hint: 'write one SELECT; prepare tables before the run, or use WITH',
      },
    );
  }
  return { file, root, definition, query: statement, queryName, kind };
}

/** `jobs/new_users.sql` → `jobs/new_users.bigquery.sql`, if the query has such a twin in the source's dialect. */
function twinOf(queryFile: string, kind: WarehouseKind, root: string): string {
  const { dir, name, ext } = path.parse(queryFile);
  const twin = path.join(dir, `${name}.${kind}${ext}`);
  return existsSync(path.resolve(root, twin)) ? twin : queryFile;
}

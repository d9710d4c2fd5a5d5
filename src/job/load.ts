import { existsSync } from 'node:fs';
import path from 'node:path';
import { type WarehouseKind, warehouseKind } from '../domain/warehouse-kind.ts';
import { ScoreBatchError } from '../errors.ts';
import { locateJob, projectRoot, readText } from './locate.ts';
import { parseJob } from './parse.ts';
import type { JobDefinition } from './schema.ts';
import { isBlank, singleStatement } from './sql-code.ts';

/** A job file with everything that it refers to, read once. */
export interface Job {
  readonly file: string;
  readonly root: string;
  readonly definition: JobDefinition;
  /** The query's text without a final semicolon. */
  readonly query: string;
  /** What the query is called in messages: its file, or the key that holds it. */
  readonly queryName: string;
  /** Kind of the source, whose SQL the query is. */
  readonly kind: WarehouseKind;
}

/**
 * @param name what `--job` said
 * @param folder where the command runs
 * @throws ScoreBatchError `usage` where there is no such job, `configuration` where it has problems
 */
export async function loadJob(name: string | undefined, folder: string, environment: NodeJS.ProcessEnv): Promise<Job> {
  const file = await locateJob(name, folder, environment);
  const definition = parseJob(await readText(file, 'the job file'), path.relative(folder, file), environment);
  const root = projectRoot(file);
  const { query, query_file, warehouse } = definition.source;
  // A URL of no known kind is refused when it is opened.
  const kind = warehouseKind(warehouse) ?? 'duckdb';
  const queryName = query_file === undefined ? 'source.query' : twinOf(query_file, kind, root);
  const text = query ?? (await readText(path.resolve(root, queryName), 'the query file'));
  const statement = singleStatement(text, kind);
  if (statement === undefined || isBlank(statement, kind)) {
    throw new ScoreBatchError(
      'configuration',
      `${queryName} ${statement === undefined ? 'holds more than one statement' : 'is empty'}`,
      {
        hint: 'a job has one SELECT; prepare tables before the run, or use WITH',
      },
    );
  }
  return { file, root, definition, query: statement, queryName, kind };
}

/** `jobs/new_users.sql` → `jobs/new_users.bigquery.sql` where the query has such a twin in the source's dialect. */
function twinOf(queryFile: string, kind: WarehouseKind, root: string): string {
  const { dir, name, ext } = path.parse(queryFile);
  const twin = path.join(dir, `${name}.${kind}${ext}`);
  return existsSync(path.resolve(root, twin)) ? twin : queryFile;
}

import { existsSync } from 'node:fs';
import path from 'node:path';
import type { RegisteredModel } from '../domain/registered-model.ts';
import { type WarehouseKind, warehouseKind } from '../domain/warehouse-kind.ts';
import { ScoreBatchError } from '../errors.ts';
import { type EventSources, eventQuery } from './event-query.ts';
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
  /** What a job on events reads; undefined for one with a query. */
  readonly events?: EventSources | undefined;
  /** Kind of the source warehouse: the query is in its SQL. */
  readonly kind: WarehouseKind;
  /** Where its bundles are, if it names registered versions and they have been located. */
  readonly located?: LocatedModels | undefined;
  /** Whether publications are delivered, if the job file has `delivery`; true by default. */
  readonly deliver?: boolean | undefined;
  /** The query of `labels`; undefined if the job has none. */
  readonly labels?: LabelsQuery | undefined;
}

/** The models of a job that come from a registry. */
interface LocatedModels {
  readonly model?: LocatedBundle;
  readonly challenger?: LocatedBundle;
}

/** A registered bundle on this machine, or why there is none. */
export type LocatedBundle =
  | { readonly folder: string; readonly registered: RegisteredModel; readonly problem?: undefined }
  | { readonly folder?: undefined; readonly registered?: undefined; readonly problem: ScoreBatchError };

/** The query that returns the users' outcomes. */
interface LabelsQuery {
  /** The query's text without a final semicolon. */
  readonly query: string;
  /** The query's name in messages. */
  readonly queryName: string;
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
  const { query, query_file, events, warehouse } = definition.source;
  // A URL of an unsupported kind is refused when the warehouse is opened.
  const kind = warehouseKind(warehouse) ?? 'duckdb';
  const source =
    events === undefined
      ? await readQuery({ query, query_file, key: 'source.query', what: 'the query file' }, kind, root)
      : { ...(await eventQuery(events, { kind, root })), queryName: 'source.events' };
  const labels =
    definition.labels &&
    (await readQuery({ ...definition.labels, key: 'labels.query', what: 'the query file of labels' }, kind, root));
  return { file, root, definition, ...source, kind, labels };
}

interface QueryPlace {
  readonly query?: string | undefined;
  readonly query_file?: string | undefined;
  /** Key of the query's text in the job file. */
  readonly key: string;
  /** The file, for messages. */
  readonly what: string;
}

/** @throws ScoreBatchError `configuration` if the file is missing, or the text is not one statement */
async function readQuery(
  { query, query_file, key, what }: QueryPlace,
  kind: WarehouseKind,
  root: string,
): Promise<{ readonly query: string; readonly queryName: string }> {
  const queryName = query_file === undefined ? key : twinOf(query_file, kind, root);
  const text = query ?? (await readText(path.resolve(root, queryName), what));
  const statement = singleStatement(text, kind);
  if (statement === undefined || isBlank(statement, kind)) {
    throw new ScoreBatchError(
      'configuration',
      `${queryName} ${statement === undefined ? 'contains more than one statement' : 'is empty'}`,
      {
        hint: 'write one SELECT; prepare tables before the run, or use a WITH clause',
      },
    );
  }
  return { query: statement, queryName };
}

/** `jobs/new_users.sql` → `jobs/new_users.bigquery.sql`, if the query has such a twin in the source's dialect. */
function twinOf(queryFile: string, kind: WarehouseKind, root: string): string {
  const { dir, name, ext } = path.parse(queryFile);
  const twin = path.join(dir, `${name}.${kind}${ext}`);
  return existsSync(path.resolve(root, twin)) ? twin : queryFile;
}

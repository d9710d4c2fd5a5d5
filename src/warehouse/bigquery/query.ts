import { randomBytes } from 'node:crypto';
import type { Query, QueryParameter } from '../../domain/query.ts';
import { ForeignAnswer } from '../foreign-answer.ts';
import type { TextRow } from '../reader.ts';
import { beforeRetry } from '../retry.ts';
import { type Connection, labelsOf, request } from './connection.ts';
import { JobFailed } from './failure.ts';
import { type Configuration, planQuery, runJob } from './jobs.ts';
import { type Job, readPage } from './shapes.ts';

export interface QueryOptions {
  readonly parameters?: readonly QueryParameter[];
  readonly runId?: string;
  /** Cost guard: BigQuery refuses a query that would read more. */
  readonly maxBytes?: number | undefined;
}

/** BigQuery's limit for a query: https://cloud.google.com/bigquery/quotas#query_jobs */
const MAX_MS = 6 * 3_600_000;

/** The query with BigQuery's placeholders. */
export function renderQuery({ texts, parameters }: Query): string {
  return texts.map((text, i) => text + (parameters[i] === undefined ? '' : `@${parameters[i].name}`)).join('');
}

export function queryJob(connection: Connection, sql: string, options: QueryOptions = {}): Configuration {
  const { parameters = [], runId, maxBytes } = options;
  const { project, dataset } = connection.home;
  return {
    query: {
      query: sql,
      useLegacySql: false,
      defaultDataset: { projectId: project, datasetId: dataset },
      ...(parameters.length > 0 && { parameterMode: 'NAMED', queryParameters: distinct(parameters).map(bound) }),
      ...(maxBytes !== undefined && { maximumBytesBilled: String(maxBytes) }),
    },
    jobTimeoutMs: String(MAX_MS),
    labels: labelsOf(connection, runId),
  };
}

/** Runs an idempotent statement. */
export async function run(connection: Connection, sql: string, options: QueryOptions = {}): Promise<Job> {
  return (await runJob(connection, randomId(), queryJob(connection, sql, options))).job;
}

/** Runs CREATE … IF NOT EXISTS, where one of two concurrent statements can still fail. */
export async function runUnlessThere(connection: Connection, sql: string, runId?: string): Promise<void> {
  try {
    await run(connection, sql, runId === undefined ? {} : { runId });
  } catch (error) {
    if (error instanceof JobFailed && error.reason === 'duplicate') return;
    throw error;
  }
}

/**
 * All rows of a small result. Every column must be text, so that no conversion changes a value. Pages with repeated or
 * missing rows are read again, as often as a request is retried.
 */
export async function rows(connection: Connection, sql: string, options: QueryOptions = {}): Promise<TextRow[]> {
  const { jobReference } = await run(connection, sql, options);
  const location = jobReference.location ?? (await connection.location());
  for (let failures = 1; ; failures += 1) {
    try {
      return await readPages(connection, jobReference.jobId, location);
    } catch (error) {
      if (!(error instanceof ForeignAnswer)) throw error;
      await beforeRetry(connection, failures, error);
    }
  }
}

/** @throws ForeignAnswer if the pages do not add up to one result */
async function readPages(connection: Connection, jobId: string, location: string): Promise<TextRow[]> {
  const found: TextRow[] = [];
  const tokens = new Set<string>();
  let pageToken: string | undefined;
  do {
    const page = await request(
      connection,
      { uri: `/queries/${jobId}`, qs: { location, ...(pageToken !== undefined && { pageToken }) } },
      readPage,
    );
    // Not spread: a page can have more rows than a call can have arguments.
    for (const row of page.rows) found.push(row);
    pageToken = page.pageToken;
    // An empty page with a next-page token makes no progress.
    const isEndless = pageToken !== undefined && (page.rows.length === 0 || tokens.has(pageToken));
    if (isEndless || found.length > page.totalRows || (pageToken === undefined && found.length !== page.totalRows)) {
      throw new ForeignAnswer(`the pages of ${jobId} have ${found.length} rows, but the result has ${page.totalRows}`);
    }
    if (pageToken !== undefined) tokens.add(pageToken);
  } while (pageToken !== undefined);
  return found;
}

/** Plans a query without running it: its schema and the bytes it would read. */
export async function dryRun(connection: Connection, sql: string, options: QueryOptions = {}): Promise<Job> {
  return await planQuery(connection, randomId(), queryJob(connection, sql, options));
}

function randomId(): string {
  return `score_batch_${randomBytes(12).toString('hex')}`;
}

function distinct(parameters: readonly QueryParameter[]): QueryParameter[] {
  return [...new Map(parameters.map((parameter) => [parameter.name, parameter])).values()];
}

function bound({ name, type, value }: QueryParameter): unknown {
  return { name, parameterType: { type: type.toUpperCase() }, parameterValue: { value } };
}

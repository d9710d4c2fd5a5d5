import { randomBytes } from 'node:crypto';
import type { Query, QueryParameter } from '../../domain/query.ts';
import type { TextRow } from '../sql/tally.ts';
import { type Connection, labelsOf, request } from './connection.ts';
import { JobFailed } from './failure.ts';
import { type Configuration, type Job, planQuery, runJob } from './jobs.ts';

export interface QueryOptions {
  readonly parameters?: readonly QueryParameter[];
  readonly runId?: string;
  /** Cost guard; the warehouse refuses what would read more. */
  readonly maxBytes?: number | undefined;
}

/** What BigQuery allows a query: https://cloud.google.com/bigquery/quotas#query_jobs */
const LONGEST_MS = 6 * 3_600_000;

interface Page {
  readonly rows?: readonly { readonly f: readonly { readonly v: string | null }[] }[];
  readonly totalRows?: string;
  readonly pageToken?: string;
}

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
    jobTimeoutMs: String(LONGEST_MS),
    labels: labelsOf(connection, runId),
  };
}

/** Runs a statement that may run again where nobody knows whether it did. */
export async function run(connection: Connection, sql: string, options: QueryOptions = {}): Promise<Job> {
  return (await runJob(connection, randomId(), queryJob(connection, sql, options))).job;
}

/** Runs CREATE … IF NOT EXISTS, which of two that start together still lets one fail. */
export async function runUnlessThere(connection: Connection, sql: string, runId?: string): Promise<void> {
  try {
    await run(connection, sql, runId === undefined ? {} : { runId });
  } catch (error) {
    if (error instanceof JobFailed && error.reason === 'duplicate') return;
    throw error;
  }
}

/** All rows of a small result. Every column must be text, so that no client changes what it holds. */
export async function rows(connection: Connection, sql: string, options: QueryOptions = {}): Promise<TextRow[]> {
  const { jobReference } = await run(connection, sql, options);
  const location = jobReference.location ?? (await connection.location());
  const found: TextRow[] = [];
  let pageToken: string | undefined;
  do {
    const page: Page = await request<Page>(connection, {
      uri: `/queries/${jobReference.jobId}`,
      qs: { location, ...(pageToken !== undefined && { pageToken }) },
    });
    // The job is done; an answer without a count would pass for an empty result.
    if (page.totalRows === undefined) throw new Error(`the result of ${jobReference.jobId} does not say how many rows it has`);
    for (const { f } of page.rows ?? []) found.push(f.map(({ v }) => v));
    pageToken = page.pageToken;
    if (pageToken === undefined && found.length !== Number(page.totalRows)) {
      throw new Error(`a result has ${found.length} rows and should have ${page.totalRows}`);
    }
  } while (pageToken !== undefined);
  return found;
}

/** What BigQuery makes of a query without running it: its schema and the bytes that it would read. */
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

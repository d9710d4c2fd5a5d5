import { demand, isObject, type Json, textOrNothing } from './answer.ts';
import type { Field } from './types.ts';

// Validates the parts of BigQuery's answers that we read: a proxy or a broken server can return any JSON.

/** The parts of BigQuery's job resource that we use: https://cloud.google.com/bigquery/docs/reference/rest/v2/Job */
export interface Job {
  readonly jobReference: { readonly jobId: string; readonly location?: string };
  readonly status: {
    readonly state: string;
    /** Set if the job failed. The sibling `errors` also lists errors that did not make it fail. */
    readonly errorResult?: { readonly reason?: string; readonly message?: string };
  };
  readonly configuration?: { readonly labels?: Readonly<Record<string, string>> };
  readonly statistics?: {
    readonly query?: { readonly schema?: { readonly fields?: readonly unknown[] }; readonly totalBytesProcessed?: string };
  };
}

export function readJob(body: Json): Job {
  const { jobReference, status, configuration, statistics } = body;
  demand(isObject(jobReference) && typeof jobReference.jobId === 'string', 'jobReference.jobId');
  demand(isObject(status) && typeof status.state === 'string', 'status.state');
  const { errorResult } = status;
  demand(errorResult === undefined || errorResult === null || isObject(errorResult), 'status.errorResult');
  const labels = isObject(configuration) && isObject(configuration.labels) ? configuration.labels : {};
  const query = isObject(statistics) && isObject(statistics.query) ? statistics.query : undefined;
  return {
    jobReference: {
      jobId: jobReference.jobId,
      ...present('location', textOrNothing(jobReference.location, 'jobReference.location')),
    },
    status: {
      state: status.state,
      ...(isObject(errorResult) && {
        errorResult: {
          ...present('reason', textOrNothing(errorResult.reason, 'status.errorResult.reason')),
          ...present('message', textOrNothing(errorResult.message, 'status.errorResult.message')),
        },
      }),
    },
    configuration: {
      labels: Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, String(value)])),
    },
    ...(query && {
      statistics: {
        query: {
          ...(isObject(query.schema) && { schema: { fields: readFields(query.schema.fields) } }),
          ...present('totalBytesProcessed', countOrNothing(query.totalBytesProcessed, 'totalBytesProcessed')),
        },
      },
    }),
  };
}

/** One page of rows as text: https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/getQueryResults */
export interface Page {
  readonly rows: readonly (readonly (string | null)[])[];
  readonly totalRows: number;
  readonly pageToken: string | undefined;
}

export function readPage({ rows = [], totalRows, pageToken, schema }: Json): Page {
  const total = countOrNothing(totalRows, 'totalRows');
  demand(total !== undefined, 'totalRows');
  demand(Array.isArray(rows), 'rows');
  const read = rows.map(readRow);
  const width = isObject(schema) ? readFields(schema.fields).length : 0;
  demand(width === 0 || read.every((row) => row.length === width), 'cell for each column');
  return { rows: read, totalRows: Number(total), pageToken: textOrNothing(pageToken, 'pageToken') || undefined };
}

export function readRow(row: unknown): (string | null)[] {
  demand(isObject(row) && Array.isArray(row.f), 'rows[].f');
  return row.f.map((cell: unknown) => {
    demand(isObject(cell) && (typeof cell.v === 'string' || cell.v === null), 'rows[].f[].v');
    return cell.v as string | null;
  });
}

export function readFields(fields: unknown): Field[] {
  if (fields === undefined || fields === null) return [];
  demand(Array.isArray(fields), 'schema.fields');
  return fields.map((field: unknown) => {
    demand(isObject(field) && typeof field.name === 'string' && typeof field.type === 'string', 'schema.fields[].type');
    return {
      name: field.name,
      type: field.type,
      ...present('mode', textOrNothing(field.mode, 'schema.fields[].mode')),
      ...present('precision', countOrNothing(field.precision, 'schema.fields[].precision')),
      ...present('scale', countOrNothing(field.scale, 'schema.fields[].scale')),
      ...(field.fields !== undefined && { fields: readFields(field.fields) }),
    };
  });
}

/** The API encodes 64-bit integers as JSON strings. */
export function countOrNothing(value: unknown, what: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  const text = String(value);
  demand(/^\d+$/.test(text), what);
  return text;
}

function present<K extends string, V>(name: K, value: V | undefined): { [key in K]?: V } {
  return (value === undefined ? {} : { [name]: value }) as { [key in K]?: V };
}

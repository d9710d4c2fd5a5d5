import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { openBigquery } from '../../../src/warehouse/bigquery/open.ts';
import { DEFAULT_TIMEOUTS, type Timeouts } from '../../../src/warehouse/timeouts.ts';
import type { Warehouse, WarehouseOptions } from '../../../src/warehouse/warehouse.ts';

// A server that answers as Google documents, for what the emulator does not have: quotas, rights, cost guards, regions, lost
// answers, write conflicts. It proves what is sent by the real client and what is made of the documented answer; that
// BigQuery gives this answer is unproven until the suite runs there.

export interface Recorded {
  readonly method: string;
  /** Below the API's root and the project: `/jobs/x`. */
  readonly path: string;
  readonly query: URLSearchParams;
  // biome-ignore lint/suspicious/noExplicitAny: tests look deep into what was sent.
  readonly body: any;
}

export interface Answer {
  readonly status?: number;
  readonly body?: unknown;
  /** Never answers, as a server that has died. */
  readonly silent?: boolean;
  /** Cuts the connection, before or after the request was worked on. */
  readonly cut?: boolean;
}

/** What is special about a test; undefined for what the server answers by itself. */
export type Special = (request: Recorded) => Answer | undefined;

export interface FakeGoogle {
  readonly url: string;
  readonly requests: readonly Recorded[];
  /** Requests of jobs.insert, dry runs left out. */
  sent(): Recorded[];
  open(options?: Partial<WarehouseOptions>, timeouts?: Partial<Timeouts>): Warehouse;
}

const FAST: Timeouts = {
  ...DEFAULT_TIMEOUTS,
  attempts: 4,
  pause: 2,
  maxPause: 10,
  poll: 5,
  request: 1500,
  upload: 1500,
  job: 60_000,
};

/** As https://cloud.google.com/bigquery/docs/error-messages has it. */
export function refusal(status: number, reason: string, message = reason): Answer {
  return {
    status,
    body: { error: { code: status, message, errors: [{ reason, message, domain: 'global' }], status: reason } },
  };
}

/** A job that failed: its request succeeds, its status says why. */
export function failed(reason: string, message: string): unknown {
  return { state: 'DONE', errorResult: { reason, message }, errors: [{ reason, message }] };
}

/** Jobs are done as soon as they are sent, their results are empty, and every table and dataset is there. */
export async function fakeGoogle(special: Special): Promise<FakeGoogle> {
  const requests: Recorded[] = [];
  const jobs = new Map<string, unknown>();
  const server = createServer(async (request, response) => {
    const recorded = await record(request);
    requests.push(recorded);
    const given = special(recorded);
    if (given?.silent) return;
    const answer = given?.body !== undefined || given?.status !== undefined ? given : byItself(recorded, jobs);
    if (recorded.path === '/jobs' && recorded.body?.jobReference && (answer.status ?? 200) === 200) {
      jobs.set(recorded.body.jobReference.jobId, answer.body);
    }
    if (given?.cut) request.socket.destroy();
    else respond(response, answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    requests,
    sent: () => requests.filter(({ path, body }) => path === '/jobs' && !body.configuration.dryRun),
    open: (options = {}, timeouts = {}) =>
      openBigquery(
        {
          url: 'bigquery://project/home?location=EU',
          job: 'weekly',
          root: '/',
          scratch: 'scratch',
          memory: 1e8,
          maxBytes: undefined,
          signal: new AbortController().signal,
          environment: { BIGQUERY_EMULATOR_HOST: url },
          warn: () => undefined,
          ...options,
        },
        { ...FAST, ...timeouts },
      ),
  };
}

function byItself({ method, path, body }: Recorded, jobs: ReadonlyMap<string, unknown>): Answer {
  if (method === 'POST' && path === '/jobs') return { body: { ...body, status: { state: 'DONE' } } };
  const [, kind, id = ''] = path.split('/');
  if (kind === 'jobs') return jobs.has(id) ? { body: jobs.get(id) } : refusal(404, 'notFound', `Not found: Job ${id}`);
  if (kind === 'queries') return { body: { jobComplete: true, totalRows: '0', rows: [] } };
  if (path.endsWith('/data')) return { body: { rows: [] } };
  return { body: { type: 'TABLE', location: 'EU', schema: { fields: [] } } };
}

async function record(request: IncomingMessage): Promise<Recorded> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://google');
  const path = decodeURIComponent(pathname).replace(/^(\/upload)?\/bigquery\/v2\/projects\/[^/]+/, '');
  // Of an upload the first of its two parts counts.
  const json = searchParams.get('uploadType') === 'multipart' ? (/\{.*\}/.exec(text)?.[0] ?? '') : text;
  return { method: request.method ?? '', path, query: searchParams, body: json.startsWith('{') ? JSON.parse(json) : text };
}

function respond(response: ServerResponse, { status = 200, body = {} }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

import type { Readable } from 'node:stream';
import { BigQuery } from '@google-cloud/bigquery';
import type { AuthClient } from 'google-auth-library';
import { ScoreBatchError } from '../../errors.ts';
import { ForeignAnswer } from '../foreign-answer.ts';
import { beforeRetry, type RetryPolicy } from '../retry.ts';
import { within } from '../timeouts.ts';
import { decode, type RawAnswer, type Reading } from './answer.ts';
import { CredentialsFailed, failureOf, isTransient, TransportFailed } from './failure.ts';
import { findAuth } from './google-auth.ts';

export interface RestRequest {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below the project: `/jobs`. */
  readonly uri: string;
  readonly qs?: Readonly<Record<string, string | number>>;
  readonly json?: unknown;
  /** Upload in two parts: metadata, then a file. */
  readonly multipart?: readonly { readonly 'Content-Type': string; readonly body: string | Readable }[];
  /** Defaults to the connection's own project. */
  readonly project?: string;
}

/** Sends requests for one project. */
export interface Client {
  /** @returns the answer, whatever its status */
  send(request: RestRequest): Promise<RawAnswer>;
}

/** Bytes. A page of results is at most 20 MB: https://cloud.google.com/bigquery/quotas#query_jobs */
const MAX_ANSWER = 64 * 1024 * 1024;

/**
 * Uses the endpoint, credentials and authentication of Google's BigQuery client, but not its methods: on a malformed answer
 * they throw where it cannot be caught. Credentials are the library's Application Default Credentials: the file named by
 * GOOGLE_APPLICATION_CREDENTIALS in the process's environment (a service account, an impersonation, a workload identity),
 * then gcloud's, then the machine's own. An emulator (BIGQUERY_EMULATOR_HOST) gets no credentials, and the metadata server
 * is not queried.
 */
export function createClient(project: string, environment: NodeJS.ProcessEnv): Client {
  const { BIGQUERY_EMULATOR_HOST: host, GOOGLE_CLOUD_UNIVERSE_DOMAIN: universe } = environment;
  const emulator = host && (host.includes('://') ? host : `http://${host}`).replace(/\/+$/, '');
  // With an explicit project, the client does not look one up.
  const bigquery = new BigQuery({
    projectId: project,
    ...(universe && { universeDomain: universe }),
    ...(emulator && { apiEndpoint: emulator }),
  });
  const root = emulator || bigquery.apiEndpoint;
  const authenticate = findAuth(bigquery.authClient, Boolean(emulator));
  return {
    async send({ method = 'GET', uri, qs = {}, json, multipart, project: other }) {
      const address = new URL(`${root}${multipart ? '/upload' : ''}/bigquery/v2/projects/${other ?? project}${uri}`);
      for (const [name, value] of Object.entries(qs)) address.searchParams.set(name, String(value));
      const [auth, headers] = await authorized(authenticate, address.href);
      headers.set('user-agent', 'score-batch');
      const sent = auth.transporter.request<string>({
        method,
        url: address,
        headers,
        ...(json !== undefined && { data: json }),
        ...(multipart && {
          multipart: multipart.map(({ body, ...part }) => ({ headers: new Headers({ ...part }), content: body })),
        }),
        responseType: 'text',
        maxContentLength: MAX_ANSWER,
        // This module interprets answers and decides on retries.
        validateStatus: () => true,
        retry: false,
      });
      const answer = await sent.catch((error: unknown) => {
        throw new TransportFailed(error);
      });
      return { address: address.href, status: answer.status, headers: answer.headers, text: answer.data };
    },
  };
}

/** @throws CredentialsFailed, or ScoreBatchError `permission` if the credentials file cannot be used */
async function authorized(authenticate: () => Promise<AuthClient>, address: string): Promise<[AuthClient, Headers]> {
  try {
    const auth = await authenticate();
    return [auth, new Headers(await auth.getRequestHeaders(address))];
  } catch (error) {
    throw error instanceof ScoreBatchError || error instanceof ForeignAnswer ? error : new CredentialsFailed(error);
  }
}

/** Sends a request once. @throws Refusal, ForeignAnswer, SilenceError, the transport's error, or the signal's reason */
export async function send<T>(
  client: Client,
  request: RestRequest,
  read: Reading<T>,
  { timeouts, budget, signal }: RetryPolicy,
): Promise<T> {
  signal.throwIfAborted();
  const answered = read(decode(await within(client.send(request), timeouts.request, signal)));
  budget.earn();
  return answered;
}

/** Sends an idempotent request and retries transient failures. */
export async function sendWithRetries<T>(
  client: Client,
  request: RestRequest,
  read: Reading<T>,
  policy: RetryPolicy,
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await send(client, request, read, policy);
    } catch (error) {
      if (!isTransient(error)) throw error;
      await beforeRetry(policy, failures, error, failureOf(error).retryAfter);
    }
  }
}

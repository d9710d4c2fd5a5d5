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
  /** Sent to where files are uploaded, in two parts: what the second one is, and a file. */
  readonly multipart?: readonly { readonly 'Content-Type': string; readonly body: string | Readable }[];
  /** Where it is not the connection's own. */
  readonly project?: string;
}

/** Sends requests for one project. */
export interface Client {
  /** @returns what came back, whatever it is */
  send(request: RestRequest): Promise<RawAnswer>;
}

/** An answer is a page of 20 MB at most; https://cloud.google.com/bigquery/quotas#query_jobs */
const MAX_ANSWER = 64 * 1024 * 1024;

/**
 * Google's client for BigQuery knows the end point and finds the credentials, and requests go through its authentication. They do
 * not go through its methods, which throw what an answer does to them where nobody can catch it. Credentials are Application Default Credentials as that library
 * finds them: the file of GOOGLE_APPLICATION_CREDENTIALS in the process's environment (a service account, an impersonation, a
 * workload identity), gcloud's, the machine's own.
 * An emulator (BIGQUERY_EMULATOR_HOST) gets none, and no metadata server is asked for any.
 */
export function createClient(project: string, environment: NodeJS.ProcessEnv): Client {
  const { BIGQUERY_EMULATOR_HOST: host, GOOGLE_CLOUD_UNIVERSE_DOMAIN: universe } = environment;
  const emulator = host && (host.includes('://') ? host : `http://${host}`).replace(/\/+$/, '');
  // With the project the client asks nobody for one.
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
      const asked = auth.transporter.request<string>({
        method,
        url: address,
        headers,
        ...(json !== undefined && { data: json }),
        ...(multipart && {
          multipart: multipart.map(({ body, ...part }) => ({ headers: new Headers({ ...part }), content: body })),
        }),
        responseType: 'text',
        maxContentLength: MAX_ANSWER,
        // What an answer means, and what may be sent again, is decided here, request by request.
        validateStatus: () => true,
        retry: false,
      });
      const answer = await asked.catch((error: unknown) => {
        throw new TransportFailed(error);
      });
      return { address: address.href, status: answer.status, headers: answer.headers, text: answer.data };
    },
  };
}

/** @throws CredentialsFailed, or ScoreBatchError `permission` where the file of credentials cannot be used */
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

/** Sends a request that can be sent again, until it is answered. */
export async function ask<T>(client: Client, request: RestRequest, read: Reading<T>, patience: RetryPolicy): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await send(client, request, read, patience);
    } catch (error) {
      if (!isTransient(error)) throw error;
      await beforeRetry(patience, failures, error, failureOf(error).retryAfter);
    }
  }
}

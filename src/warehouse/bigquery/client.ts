import type { Readable } from 'node:stream';
import { BigQuery } from '@google-cloud/bigquery';
import { PassThroughClient } from 'google-auth-library';
import { retryAfter, within } from '../pace.ts';
import { beforeRetry, type Patience } from '../retry.ts';
import { failureOf, isTransient } from './failure.ts';

export interface RestRequest {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below the project: `/jobs`; or a whole URL. */
  readonly uri: string;
  readonly qs?: Readonly<Record<string, string | number>>;
  readonly json?: unknown;
  /** Two parts: what the second one is, and a file. */
  readonly multipart?: readonly { readonly 'Content-Type': string; readonly body: string | Readable }[];
  /** Where it is not the connection's own. */
  readonly project?: string;
}

/**
 * Google's client for one project. Credentials are Application Default Credentials as Google's library finds them: the file
 * of GOOGLE_APPLICATION_CREDENTIALS in the process's environment (a service account, an impersonation, a workload identity),
 * gcloud's, the machine's own.
 * An emulator (BIGQUERY_EMULATOR_HOST) gets none, and no metadata server is asked for any.
 */
export function createClient(project: string, environment: NodeJS.ProcessEnv): BigQuery {
  const { BIGQUERY_EMULATOR_HOST: host } = environment;
  const emulator = host && (host.includes('://') ? host : `http://${host}`);
  const client = new BigQuery({
    projectId: project,
    // What may be sent again is decided here, request by request.
    autoRetry: false,
    userAgent: 'score-batch',
    // The pass-through client sends no token, yet makes the client set headers, without which its uploads fail.
    ...(emulator && { apiEndpoint: emulator, authClient: new PassThroughClient() }),
  });
  // With the variable in its own environment the client leaves out the path under which emulators, as BigQuery, answer.
  if (emulator) client.baseUrl = `${client.apiEndpoint}/bigquery/v2`;
  return client;
}

/** Sends a request once. @throws the client's error, SilenceError, or the signal's reason */
export async function send<T>(client: BigQuery, request: RestRequest, { pace, budget, signal }: Patience): Promise<T> {
  signal.throwIfAborted();
  const { project, ...rest } = request;
  // Asked for here, since without any the client sends the request all the same.
  await within(client.authClient.getClient(), pace.request, signal);
  const answer = new Promise<T>((resolve, reject) => {
    // The client declares what it takes more narrowly than what it takes.
    const options = { ...rest, ...(project !== undefined && { projectId: project }) } as unknown;
    client.request(options as Parameters<BigQuery['request']>[0], (error, body, response) =>
      error ? reject(Object.assign(error, { retryAfter: retryAfter(response?.headers?.['retry-after']) })) : resolve(body as T),
    );
  });
  const answered = await within(answer, pace.request, signal);
  budget.earn();
  return answered;
}

/** Sends a request that can be sent again, until it is answered. */
export async function ask<T>(client: BigQuery, request: RestRequest, patience: Patience): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await send<T>(client, request, patience);
    } catch (error) {
      if (!isTransient(error)) throw error;
      await beforeRetry(patience, failures, error, failureOf(error).retryAfter);
    }
  }
}

import type { RetryPolicy } from '../retry.ts';
import { abortAfterGracePeriod } from '../timeouts.ts';
import type { Working } from '../warehouse.ts';
import { demand, type Json, type Reading } from './answer.ts';
import { type Client, createClient, type RestRequest, send, sendWithRetries } from './client.ts';
import { isStatus } from './failure.ts';
import { type DatasetName, suffixOf } from './names.ts';
import { type StorageClient, storageClient } from './storage-client.ts';

/** Shared state of everything in this folder. */
export interface Connection extends RetryPolicy {
  readonly client: Client;
  readonly storage: StorageClient;
  /** Project that runs and pays for jobs, and default dataset of tables. */
  readonly home: DatasetName;
  readonly scratch: DatasetName;
  /** Name of the score-batch job. */
  readonly job: string;
  readonly maxBytes: number | undefined;
  readonly environment: NodeJS.ProcessEnv;
  readonly memory: number;
  /** Notified of each job while this process waits for it. */
  readonly working?: Working | undefined;
  /** Where jobs run: the location in the URL, or else the dataset's. */
  location(): Promise<string>;
  /** @throws the client's error if the URL's dataset cannot be reached */
  reach(): Promise<void>;
}

export type ConnectionOptions = Omit<Connection, 'client' | 'storage' | 'location' | 'reach'> & {
  readonly location: string | undefined;
};

/** Does not send any request. */
export function connect({ location, ...options }: ConnectionOptions): Connection {
  const client = createClient(options.home.project, options.environment);
  let found: Promise<string> | undefined;
  return {
    ...options,
    client,
    storage: storageClient(options),
    async location() {
      if (location !== undefined) return location;
      found ??= datasetLocation(client, options);
      // Do not cache a failure.
      found.catch(() => {
        found = undefined;
      });
      return await found;
    },
    async reach() {
      await datasetLocation(client, options);
    },
  };
}

/** The same connection with a later abort, for records that must be written after a signal ended the run. */
export function withGracePeriod(connection: Connection): Connection {
  return { ...connection, signal: abortAfterGracePeriod(connection.signal) };
}

/** Sends a request that must not be retried. */
export async function sendOnce<T>(connection: Connection, request: RestRequest, read: Reading<T>): Promise<T> {
  return await send(connection.client, request, read, connection);
}

/** Sends an idempotent request and retries transient failures. */
export async function request<T>(connection: Connection, sent: RestRequest, read: Reading<T>): Promise<T> {
  return await sendWithRetries(connection.client, sent, read, connection);
}

/** Like `request`, but returns undefined for a 404. */
export async function requestIfThere<T>(connection: Connection, sent: RestRequest, read: Reading<T>): Promise<T | undefined> {
  try {
    return await request(connection, sent, read);
  } catch (error) {
    if (isStatus(error, 404)) return undefined;
    throw error;
  }
}

/** Labels of jobs and tables, for billing reports and the console. */
export function labelsOf(connection: Connection, runId?: string): Record<string, string> {
  return {
    created_by: 'score-batch',
    job: labelValue(connection.job),
    ...(runId !== undefined && { run: labelValue(runId) }),
  };
}

/** Labels hold 63 lower-case letters, digits, dashes and underscores: https://cloud.google.com/bigquery/docs/labels-intro */
function labelValue(text: string): string {
  return suffixOf(text).toLowerCase().slice(0, 63);
}

async function datasetLocation(client: Client, options: RetryPolicy & Pick<Connection, 'home'>): Promise<string> {
  return await sendWithRetries(client, { uri: `/datasets/${options.home.dataset}` }, readLocation, options);
}

function readLocation({ location }: Json): string {
  demand(typeof location === 'string', 'location');
  return location;
}

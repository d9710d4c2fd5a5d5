import type { RetryPolicy } from '../retry.ts';
import { abortAfterGracePeriod } from '../timeouts.ts';
import { demand, type Json, type Reading } from './answer.ts';
import { ask, type Client, createClient, type RestRequest, send } from './client.ts';
import { isStatus } from './failure.ts';
import { type DatasetName, suffixOf } from './names.ts';
import { type StorageClient, storageClient } from './storage-client.ts';

/** What everything in this folder works with. */
export interface Connection extends RetryPolicy {
  readonly client: Client;
  readonly storage: StorageClient;
  /** Project in which jobs run and are billed, and dataset of tables that are named without one. */
  readonly home: DatasetName;
  readonly scratch: DatasetName;
  /** Name of the job of score-batch. */
  readonly job: string;
  readonly maxBytes: number | undefined;
  readonly environment: NodeJS.ProcessEnv;
  readonly memory: number;
  /** Where jobs run: what the URL says, else where its dataset is. */
  location(): Promise<string>;
  /** @throws the client's error where the URL's dataset cannot be reached */
  reach(): Promise<void>;
}

export type ConnectionOptions = Omit<Connection, 'client' | 'storage' | 'location' | 'reach'> & {
  readonly location: string | undefined;
};

/** Nothing is asked yet. */
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
      // A failure is not for ever.
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

/** The same connection for what must be written down whatever ended the run, soon after it did. */
export function withGracePeriod(connection: Connection): Connection {
  return { ...connection, signal: abortAfterGracePeriod(connection.signal) };
}

/** Sends once what must not be sent twice. */
export async function sendOnce<T>(connection: Connection, request: RestRequest, read: Reading<T>): Promise<T> {
  return await send(connection.client, request, read, connection);
}

/** Sends, and sends again, what does the same twice. */
export async function request<T>(connection: Connection, sent: RestRequest, read: Reading<T>): Promise<T> {
  return await ask(connection.client, sent, read, connection);
}

/** As `request`; undefined where what was asked for is not there. */
export async function requestIfThere<T>(connection: Connection, sent: RestRequest, read: Reading<T>): Promise<T | undefined> {
  try {
    return await request(connection, sent, read);
  } catch (error) {
    if (isStatus(error, 404)) return undefined;
    throw error;
  }
}

/** Labels of jobs and tables, by which bills and consoles tell them. */
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
  return await ask(client, { uri: `/datasets/${options.home.dataset}` }, readLocation, options);
}

function readLocation({ location }: Json): string {
  demand(typeof location === 'string', 'location');
  return location;
}

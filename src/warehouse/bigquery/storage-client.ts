import { BigQueryReadClient } from '@google-cloud/bigquery-storage';
import { googleAuthLibrary, grpc } from 'google-gax';
import { guarded } from './google-auth.ts';
import { checkKeyFile } from './key-file.ts';
import type { DatasetName } from './names.ts';

interface StorageOptions {
  readonly home: DatasetName;
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * Flow control window, bytes. With HTTP/2's default of 64 KiB, which Node uses, a read transfers at most 64 KiB per round
 * trip: 6 MB/s at ten milliseconds.
 */
const WINDOW = { 'grpc-node.flow_control_window': 4 * 2 ** 20 };

/**
 * Google's client for the Storage Read API with the same credentials, or one for the emulator at
 * BIGQUERY_STORAGE_EMULATOR_HOST.
 */
function createReadClient({ home, environment }: StorageOptions): BigQueryReadClient {
  const { BIGQUERY_STORAGE_EMULATOR_HOST: emulator } = environment;
  if (!emulator) return new BigQueryReadClient({ projectId: home.project, ...WINDOW });
  const [, host = '', port] = /^(?:\w+:\/\/)?(.*?)(?::(\d+))?$/.exec(emulator) ?? [];
  return new BigQueryReadClient({
    projectId: home.project,
    ...WINDOW,
    servicePath: host,
    apiEndpoint: host,
    port: Number(port ?? 443),
    sslCreds: grpc.credentials.createInsecure(),
    // Otherwise it would look for credentials that the emulator does not need.
    authClient: new googleAuthLibrary.PassThroughClient(),
  });
}

/** The connection to the Storage API, opened on demand and reopened after a failure. */
export interface StorageClient {
  /** @throws the client's error if there are no credentials. Finding them later would cause an unhandled rejection. */
  get(): Promise<BigQueryReadClient>;
  /** Closes it without waiting: closing an unresponsive connection may never finish. */
  close(): void;
}

export function storageClient(connection: StorageOptions): StorageClient {
  let client: BigQueryReadClient | undefined;
  return {
    async get() {
      if (!connection.environment.BIGQUERY_STORAGE_EMULATOR_HOST) await checkKeyFile(process.env);
      client ??= createReadClient(connection);
      guarded(await client.auth.getClient());
      await client.initialize();
      return client;
    },
    close() {
      client?.close().catch(() => undefined);
      client = undefined;
    },
  };
}

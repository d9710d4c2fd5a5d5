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
 * Bytes that may be under way to a client. With HTTP/2's own 64 KiB, which Node keeps to, a read gets no further than that in the
 * time of a round trip: 6 MB/s where it takes ten milliseconds.
 */
const WINDOW = { 'grpc-node.flow_control_window': 4 * 2 ** 20 };

/** Google's client for the Storage Read API, with the same credentials; an emulator is at BIGQUERY_STORAGE_EMULATOR_HOST. */
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
    // Else it would ask the network for credentials that it does not need.
    authClient: new googleAuthLibrary.PassThroughClient(),
  });
}

/** The connection to the Storage API, made when it is needed and anew after it broke. */
export interface StorageClient {
  /** @throws the client's error where there are no credentials; asked later, it would be rejected where nobody listens */
  get(): Promise<BigQueryReadClient>;
  /** Lets go of it, without waiting: one that fell silent may not end either. */
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

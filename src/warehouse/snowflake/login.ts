import type { Connection } from 'snowflake-sdk';
import { ScoreBatchError } from '../../errors.ts';
import { readTimeouts } from '../timeouts.ts';
import type { Working } from '../warehouse.ts';
import { findCredentials } from './credentials.ts';
import { loadDriver } from './driver.ts';
import { toFailure } from './failure.ts';
import { exactly, stored } from './names.ts';
import type { Target } from './target.ts';

export interface Login {
  readonly target: Target;
  readonly environment: NodeJS.ProcessEnv;
  readonly warn: (message: string) => void;
  /** Notified of each statement while it runs. */
  readonly working?: Working | undefined;
}

/**
 * Snowflake answers within 45 s, even if only to say that the statement is still running. Shorter timeouts make no sense.
 */
const MAX_ANSWER_MS = 60_000;

/** Rows the driver buffers. Its default of 10 costs an event loop turn per 10 rows. */
const ROWS_AHEAD = 2048;

/**
 * Opens a connection. Avoids driver features that write to ~/.snowflake.
 *
 * @throws ScoreBatchError if the credentials cannot be read or the driver rejects them
 * @throws Failure if Snowflake rejects them or cannot be reached
 */
export async function connect({ target, environment, warn }: Login): Promise<Connection> {
  const credentials = await findCredentials(target, environment, warn);
  const { account, database, schema, warehouse, role } = target;
  const driver = await loadDriver();
  const connection = accepted(() =>
    driver.createConnection({
      ...credentials,
      account,
      database: nameForLogin(database),
      schema: nameForLogin(schema),
      ...(warehouse !== undefined && { warehouse: nameForLogin(warehouse) }),
      ...(role !== undefined && { role: nameForLogin(role) }),
      // Address of an emulator or a proxy.
      ...(environment.SNOWFLAKE_ACCESS_URL && { accessUrl: environment.SNOWFLAKE_ACCESS_URL }),
      application: 'score_batch',
      clientSessionKeepAlive: true,
      timeout: requestTimeout(environment),
      sfRetryMaxLoginRetries: 0,
      // Result chunks to prefetch; more only take memory.
      resultPrefetch: 1,
      rowStreamHighWaterMark: ROWS_AHEAD,
    } as Parameters<typeof driver.createConnection>[0]),
  );
  await new Promise<void>((resolve, reject) => {
    const end = (error: unknown) => (error ? reject(toFailure(error, true)) : resolve());
    connection.connectAsync(end).catch(end);
  });
  return connection;
}

/** Milliseconds. An emulator answers only when the statement has finished. */
function requestTimeout(environment: NodeJS.ProcessEnv): number {
  const { request } = readTimeouts(environment);
  return environment.SNOWFLAKE_ACCESS_URL ? request : Math.max(request, MAX_ANSWER_MS);
}

/** Snowflake converts unquoted names in a login to upper case. */
function nameForLogin(name: string): string {
  return stored(name) === name.toUpperCase() ? name : exactly(name);
}

/** The driver validates its options before it sends anything. */
function accepted<T>(create: () => T): T {
  try {
    return create();
  } catch (error) {
    throw new ScoreBatchError('configuration', "Snowflake's driver rejects the connection options", {
      details: [error instanceof Error ? error.message : String(error)],
      hint: 'check the URL, and the connection in connections.toml if you use one',
      cause: toFailure(error),
    });
  }
}

import type { Connection } from 'snowflake-sdk';
import { ScoreBatchError } from '../../errors.ts';
import { readTimeouts } from '../timeouts.ts';
import { findCredentials } from './credentials.ts';
import { loadDriver } from './driver.ts';
import { toFailure } from './failure.ts';
import { exactly, stored } from './names.ts';
import type { Target } from './target.ts';

export interface Login {
  readonly target: Target;
  readonly environment: NodeJS.ProcessEnv;
  readonly warn: (message: string) => void;
}

/** Snowflake answers after 45 s at the latest, be it that the statement still runs; sooner means nothing. */
const MAX_ANSWER_MS = 60_000;

/** Rows that are made ready before they are asked for; the driver's own 10 cost a turn of the event loop each time. */
const ROWS_AHEAD = 2048;

/**
 * A new connection. The driver is asked for nothing that touches ~/.snowflake.
 *
 * @throws ScoreBatchError where the credentials cannot be read, or the driver does not accept what they are
 * @throws Failure where Snowflake does not accept them, or cannot be reached
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
      // Where the tests' emulator answers, or a proxy.
      ...(environment.SNOWFLAKE_ACCESS_URL && { accessUrl: environment.SNOWFLAKE_ACCESS_URL }),
      application: 'score_batch',
      clientSessionKeepAlive: true,
      timeout: requestTimeout(environment),
      sfRetryMaxLoginRetries: 0,
      // Chunks of a result that are fetched ahead: more of them only take memory.
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

/** Milliseconds after which a request without an answer has failed. An emulator answers when it is done. */
function requestTimeout(environment: NodeJS.ProcessEnv): number {
  const { request } = readTimeouts(environment);
  return environment.SNOWFLAKE_ACCESS_URL ? request : Math.max(request, MAX_ANSWER_MS);
}

/** Snowflake makes a name of a login upper case, unless it stands in quotes. */
function nameForLogin(name: string): string {
  return stored(name) === name.toUpperCase() ? name : exactly(name);
}

/** The driver refuses options with errors of its own before it asks anybody. */
function accepted<T>(create: () => T): T {
  try {
    return create();
  } catch (error) {
    throw new ScoreBatchError('configuration', "Snowflake's driver does not accept the connection's options", {
      details: [error instanceof Error ? error.message : String(error)],
      hint: 'check the URL, and the connection in connections.toml where one is used',
      cause: toFailure(error),
    });
  }
}

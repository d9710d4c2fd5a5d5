import os from 'node:os';
import path from 'node:path';
import type { ConnectionOptions } from 'snowflake-sdk';
import { ScoreBatchError, unreadable } from '../../errors.ts';
import type { Target } from './target.ts';

/** Where Snowflake's own tools look for connections.toml. */
export function connectionsFile({ SNOWFLAKE_HOME }: NodeJS.ProcessEnv): string {
  return path.join(SNOWFLAKE_HOME || path.join(os.homedir(), '.snowflake'), 'connections.toml');
}

/**
 * A connection of connections.toml as the driver itself reads it, which also refuses a file that others may write. What the
 * URL says of database, schema, warehouse and role comes before what the file says.
 *
 * @throws ScoreBatchError `configuration` where there is no such connection, or it is of another account
 */
export async function readConnection(name: string, target: Target, environment: NodeJS.ProcessEnv): Promise<ConnectionOptions> {
  const file = connectionsFile(environment);
  const { loadConnectionConfiguration } = await import('snowflake-sdk/dist/lib/configuration/connection_configuration.js');
  const options = asked(name, path.dirname(file), () => {
    try {
      return loadConnectionConfiguration() as ConnectionOptions;
    } catch (error) {
      throw refused(error, name, file);
    }
  });
  if (options.account !== undefined && options.account.toLowerCase() !== target.account.toLowerCase()) {
    throw new ScoreBatchError(
      'configuration',
      `the connection ${name} of ${file} is of the Snowflake account ${options.account}, and the URL names ${target.account}`,
      { hint: 'name another connection (?connection=NAME), or the same account' },
    );
  }
  return options;
}

/** The driver takes both from its process's environment, at once and in one go. */
function asked<T>(name: string, folder: string, work: () => T): T {
  const { SNOWFLAKE_DEFAULT_CONNECTION_NAME, SNOWFLAKE_HOME } = process.env;
  const set = (values: Readonly<Record<string, string | undefined>>) => {
    for (const [key, value] of Object.entries(values)) {
      if (value === undefined) delete process.env[key];
      else process.env[key] = value;
    }
  };
  set({ SNOWFLAKE_DEFAULT_CONNECTION_NAME: name, SNOWFLAKE_HOME: folder });
  try {
    return work();
  } finally {
    set({ SNOWFLAKE_DEFAULT_CONNECTION_NAME, SNOWFLAKE_HOME });
  }
}

function refused(error: unknown, name: string, file: string): ScoreBatchError {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && 'code' in error) {
    return unreadable(file, error, 'make it with `snow connection add`, or set SNOWFLAKE_USER and its kin');
  }
  if (/permission|owner|executable|writable/i.test(message)) {
    return new ScoreBatchError('permission', `the driver does not trust ${file}`, {
      details: [message],
      hint: `chmod 600 ${file}`,
    });
  }
  // A parser's message may show a line of the file, and a line may be a password.
  const absent = message.includes('does not exist');
  return new ScoreBatchError('configuration', absent ? `${file} has no connection ${name}` : `${file} is no TOML`, {
    hint: absent ? 'check ?connection= in the URL, or SNOWFLAKE_DEFAULT_CONNECTION_NAME' : 'correct the file',
  });
}

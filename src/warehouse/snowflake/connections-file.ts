import os from 'node:os';
import path from 'node:path';
import type { ConnectionOptions } from 'snowflake-sdk';
import { ScoreBatchError, unreadable } from '../../errors.ts';
import type { Target } from './target.ts';

/** Path of connections.toml, as Snowflake's own tools find it. */
export function connectionsFile({ SNOWFLAKE_HOME }: NodeJS.ProcessEnv): string {
  return path.join(SNOWFLAKE_HOME || path.join(os.homedir(), '.snowflake'), 'connections.toml');
}

/**
 * Reads a connection of connections.toml with the driver, which also rejects a file that other users can write to. The URL's
 * database, schema, warehouse and role take precedence over the file's.
 *
 * @throws ScoreBatchError `configuration` if the connection does not exist or is for another account
 */
export async function readConnection(name: string, target: Target, environment: NodeJS.ProcessEnv): Promise<ConnectionOptions> {
  const file = connectionsFile(environment);
  const { loadConnectionConfiguration } = await import('snowflake-sdk/dist/lib/configuration/connection_configuration.js');
  const options = withVariables(name, path.dirname(file), () => {
    try {
      return loadConnectionConfiguration() as ConnectionOptions;
    } catch (error) {
      throw refused(error, name, file);
    }
  });
  if (options.account !== undefined && options.account.toLowerCase() !== target.account.toLowerCase()) {
    throw new ScoreBatchError(
      'configuration',
      `the connection ${name} in ${file} is for the Snowflake account ${options.account}, but the URL names ${target.account}`,
      { hint: 'use another connection (?connection=NAME), or the same account in both' },
    );
  }
  return options;
}

/** The driver reads both values from the process's environment, synchronously. */
function withVariables<T>(name: string, folder: string, work: () => T): T {
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
    return unreadable(file, error, 'create it with `snow connection add`, or set the SNOWFLAKE_ variables');
  }
  if (/permission|owner|executable|writable/i.test(message)) {
    return new ScoreBatchError('permission', `the driver does not trust ${file}`, {
      details: [message],
      hint: `chmod 600 ${file}`,
    });
  }
  // Parser messages can quote a line of the file, which can be a password.
  const absent = message.includes('does not exist');
  return new ScoreBatchError('configuration', absent ? `${file} has no connection ${name}` : `${file} is not valid TOML`, {
    hint: absent ? 'check ?connection= in the URL, or SNOWFLAKE_DEFAULT_CONNECTION_NAME' : 'fix the file',
  });
}

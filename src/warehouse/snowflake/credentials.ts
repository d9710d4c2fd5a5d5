import { createPrivateKey } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { ConnectionOptions } from 'snowflake-sdk';
import { ScoreBatchError } from '../../errors.ts';
import { keepSecretsIn, registerSecret, registerSecretsOf } from '../../secrets.ts';
import { connectionsFile, readConnection } from './connections-file.ts';
import type { Target } from './target.ts';

/** The part of the driver's options that says who logs in. */
export type Credentials = ConnectionOptions;

const WAYS = [
  'key pair: SNOWFLAKE_USER and SNOWFLAKE_PRIVATE_KEY_PATH (with SNOWFLAKE_PRIVATE_KEY_PASSPHRASE) or SNOWFLAKE_PRIVATE_KEY',
  'OAuth: SNOWFLAKE_TOKEN or SNOWFLAKE_TOKEN_FILE_PATH',
  'a connection of connections.toml: ?connection=NAME in the URL, or SNOWFLAKE_DEFAULT_CONNECTION_NAME',
];

/**
 * Who logs in, by the first of these that is there: the URL's connection of connections.toml, key pair, OAuth, the default
 * connection of connections.toml, password. Read anew for every login: tokens in files are replaced while a run goes on.
 *
 * @param warn told where it is a password
 * @throws ScoreBatchError `permission` where there is nothing, or where it cannot be used
 */
export async function findCredentials(
  target: Target,
  environment: NodeJS.ProcessEnv,
  warn: (message: string) => void,
): Promise<Credentials> {
  registerSecretsOf(environment);
  const found = await find(target, environment);
  keepSecretsIn(found);
  if (found === undefined) {
    throw new ScoreBatchError('permission', `there are no credentials for the Snowflake account ${target.account}`, {
      details: WAYS,
      hint: 'set one of these',
    });
  }
  if (found.password !== undefined) {
    warn(
      `logging in to the Snowflake account ${target.account} with a password; Snowflake is removing such logins: use a key pair`,
    );
  }
  return found;
}

async function find(target: Target, environment: NodeJS.ProcessEnv): Promise<Credentials | undefined> {
  const {
    SNOWFLAKE_USER: username,
    SNOWFLAKE_PRIVATE_KEY: key,
    SNOWFLAKE_PRIVATE_KEY_PATH: keyFile,
    SNOWFLAKE_PRIVATE_KEY_PASSPHRASE: passphrase,
    SNOWFLAKE_TOKEN: token,
    SNOWFLAKE_TOKEN_FILE_PATH: tokenFile,
    SNOWFLAKE_DEFAULT_CONNECTION_NAME: connection,
    SNOWFLAKE_PASSWORD: password,
  } = environment;
  if (target.connection) return await readConnection(target.connection, target, environment);
  if (key || keyFile) {
    const text = key || (await readSecret(keyFile ?? '', 'SNOWFLAKE_PRIVATE_KEY_PATH'));
    return { username: user(username), authenticator: 'SNOWFLAKE_JWT', privateKey: decrypted(text, passphrase) };
  }
  if (token || tokenFile) {
    const text = token || (await readSecret(tokenFile ?? '', 'SNOWFLAKE_TOKEN_FILE_PATH'));
    return { ...(username && { username }), authenticator: 'OAUTH', token: text.trim() };
  }
  if (connection || (!password && existsSync(connectionsFile(environment)))) {
    return await readConnection(connection || 'default', target, environment);
  }
  return password ? { username: user(username), password } : undefined;
}

function user(name: string | undefined): string {
  if (name) return name;
  throw new ScoreBatchError('permission', 'SNOWFLAKE_USER is not set', {
    hint: 'set it to the user that logs in to Snowflake',
  });
}

async function readSecret(file: string, variable: string): Promise<string> {
  try {
    const text = await readFile(file, 'utf8');
    // A key that cannot be read is as secret as one that can.
    registerSecret(text);
    return text;
  } catch (error) {
    throw new ScoreBatchError('permission', `the file ${file} of ${variable} cannot be read`, {
      hint: `check ${variable}`,
      cause: error,
    });
  }
}

/** @returns the key as PKCS #8 PEM. An error says nothing of what was read. */
function decrypted(pem: string, passphrase: string | undefined): string {
  try {
    return String(createPrivateKey({ key: pem, ...(passphrase && { passphrase }) }).export({ type: 'pkcs8', format: 'pem' }));
  } catch {
    const encrypted = pem.includes('ENCRYPTED');
    throw new ScoreBatchError('permission', 'the private key for Snowflake cannot be read', {
      hint:
        encrypted && !passphrase
          ? 'it is encrypted: set SNOWFLAKE_PRIVATE_KEY_PASSPHRASE'
          : `it must be an RSA key in PEM form${encrypted ? '; check SNOWFLAKE_PRIVATE_KEY_PASSPHRASE' : ''}`,
    });
  }
}

import { createPrivateKey } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { ConnectionOptions } from 'snowflake-sdk';
import { ScoreBatchError } from '../../errors.ts';
import { registerSecret, registerSecretsIn, registerSecretsOf } from '../../secrets.ts';
import { connectionsFile, readConnection } from './connections-file.ts';
import type { Target } from './target.ts';

/** The credentials among the driver's options. */
export type Credentials = ConnectionOptions;

const METHODS = [
  'key pair: SNOWFLAKE_USER and SNOWFLAKE_PRIVATE_KEY_PATH (with SNOWFLAKE_PRIVATE_KEY_PASSPHRASE) or SNOWFLAKE_PRIVATE_KEY',
  'OAuth: SNOWFLAKE_TOKEN or SNOWFLAKE_TOKEN_FILE_PATH',
  'a connection of connections.toml: ?connection=NAME in the URL, or SNOWFLAKE_DEFAULT_CONNECTION_NAME',
];

/**
 * Finds credentials: the first of the URL's connection in connections.toml, key pair, OAuth, the default connection in
 * connections.toml, password. Called for every login, because token files are replaced during a run.
 *
 * @param warn called if the credentials are a password
 * @throws ScoreBatchError `permission` if there are no usable credentials
 */
export async function findCredentials(
  target: Target,
  environment: NodeJS.ProcessEnv,
  warn: (message: string) => void,
): Promise<Credentials> {
  registerSecretsOf(environment);
  const found = await find(target, environment);
  registerSecretsIn(found);
  if (found === undefined) {
    throw new ScoreBatchError('permission', `no credentials found for the Snowflake account ${target.account}`, {
      details: METHODS,
      hint: 'set one of these',
    });
  }
  if (found.password !== undefined) {
    warn(
      `logging in to the Snowflake account ${target.account} with a password; Snowflake is phasing out such logins: use a key pair`,
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
    hint: 'set it to the Snowflake user',
  });
}

async function readSecret(file: string, variable: string): Promise<string> {
  try {
    const text = await readFile(file, 'utf8');
    // Even a malformed key is secret.
    registerSecret(text);
    return text;
  } catch (error) {
    throw new ScoreBatchError('permission', `cannot read the file ${file} of ${variable}`, {
      hint: `check ${variable}`,
      cause: error,
    });
  }
}

/** @returns the key as PKCS #8 PEM. Errors do not quote the input. */
function decrypted(pem: string, passphrase: string | undefined): string {
  try {
    return String(createPrivateKey({ key: pem, ...(passphrase && { passphrase }) }).export({ type: 'pkcs8', format: 'pem' }));
  } catch {
    const encrypted = pem.includes('ENCRYPTED');
    throw new ScoreBatchError('permission', 'cannot read the private key for Snowflake', {
      hint:
        encrypted && !passphrase
          ? 'it is encrypted: set SNOWFLAKE_PRIVATE_KEY_PASSPHRASE'
          : `it must be an RSA key in PEM form${encrypted ? '; check SNOWFLAKE_PRIVATE_KEY_PASSPHRASE' : ''}`,
    });
  }
}

import { createHash, createPublicKey, createVerify, generateKeyPairSync } from 'node:crypto';
import { chmod, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { openSnowflake } from '../../../src/warehouse/snowflake/open.ts';
import type { Warehouse } from '../../../src/warehouse/warehouse.ts';
import { temporaryFolder } from '../../support/project.ts';
import { fakeSnowflake, MASTER_TOKEN, SESSION_TOKEN } from './fake-snowflake.ts';

// The real driver against a server that gives Snowflake's documented answers; unproven on an account.

const URL = 'snowflake://org-acct/Shop/Public?warehouse=wh&role=Scorer';
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const PLAIN = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const ENCRYPTED = privateKey
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'the passphrase' })
  .toString();
const KEY_LINE = PLAIN.split('\n')[3] ?? '';

function open(environment: NodeJS.ProcessEnv, url = URL, warnings: string[] = []): Warehouse {
  return openSnowflake({
    url,
    job: 'churn',
    root: '/',
    scratch: 'scratch',
    memory: 1e9,
    maxBytes: undefined,
    signal: new AbortController().signal,
    environment,
    warn: (message) => warnings.push(message),
  });
}

async function failure(environment: NodeJS.ProcessEnv, url = URL): Promise<unknown> {
  await using warehouse = disposable(open(environment, url));
  const error: unknown = await warehouse.reach().catch((reason: unknown) => reason);
  const shown = inspect(error, { depth: 20, showHidden: true });
  for (const secret of [KEY_LINE, 'the passphrase', 'an oauth token', 'the password', SESSION_TOKEN, MASTER_TOKEN]) {
    expect(shown).not.toContain(secret);
  }
  return error;
}

function disposable(warehouse: Warehouse): Warehouse & AsyncDisposable {
  return { ...warehouse, [Symbol.asyncDispose]: () => warehouse.close() };
}

it('logs in with a key pair, in the database, schema, warehouse and role of the URL', async () => {
  const server = await fakeSnowflake();
  const warnings: string[] = [];
  await using warehouse = disposable(
    open({ SNOWFLAKE_ACCESS_URL: server.url, SNOWFLAKE_USER: 'jo', SNOWFLAKE_PRIVATE_KEY: PLAIN }, URL, warnings),
  );
  await warehouse.reach();
  const [login] = server.logins();
  expect(Object.fromEntries(login?.query ?? [])).toMatchObject({
    warehouse: 'wh',
    databaseName: 'Shop',
    schemaName: 'Public',
    roleName: 'Scorer',
  });
  expect(login?.body.data).toMatchObject({ ACCOUNT_NAME: 'org-acct', LOGIN_NAME: 'jo', AUTHENTICATOR: 'SNOWFLAKE_JWT' });
  expect(login?.body.data.PASSWORD).toBeUndefined();
  const [header = '', payload = '', signature = ''] = String(login?.body.data.TOKEN).split('.');
  const verify = createVerify('RSA-SHA256').update(`${header}.${payload}`);
  expect(verify.verify(publicKey, signature, 'base64url')).toBe(true);
  const fingerprint = createHash('sha256')
    .update(createPublicKey(PLAIN).export({ type: 'spki', format: 'der' }))
    .digest('base64');
  expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toMatchObject({
    iss: `ORG-ACCT.JO.SHA256:${fingerprint}`,
    sub: 'ORG-ACCT.JO',
  });
  expect(warnings).toEqual([]);
});

it('sets what it relies on in the session, and puts job and run on its statements', async () => {
  const server = await fakeSnowflake({ statement: (sql) => (sql.includes('manifest') ? { rows: [] } : undefined) });
  await using warehouse = disposable(open({ SNOWFLAKE_ACCESS_URL: server.url, SNOWFLAKE_TOKEN: 'an oauth token' }));
  await warehouse.source.frozen('1997-W11-0123456789ab');
  const [settings, statement] = server.requests.filter(({ path }) => path.endsWith('query-request')).map(({ body }) => body);
  expect(settings.sqlText).toMatch(/^ALTER SESSION SET /);
  for (const setting of [
    "TIMEZONE = 'UTC'",
    'STATEMENT_TIMEOUT_IN_SECONDS = 14400',
    'LOCK_TIMEOUT = 60',
    'TRANSACTION_ABORT_ON_ERROR = TRUE',
    'ABORT_DETACHED_QUERY = TRUE',
    `QUERY_TAG = '{"app":"score-batch","job":"churn"}'`,
  ]) {
    expect(settings.sqlText).toContain(setting);
  }
  expect(statement.parameters).toEqual({ QUERY_TAG: '{"app":"score-batch","job":"churn","run":"1997-W11-0123456789ab"}' });
  expect(server.logins()[0]?.body.data.SESSION_PARAMETERS).toMatchObject({ CLIENT_SESSION_KEEP_ALIVE: true });
});

it('logs in with an encrypted key in a file', async () => {
  const server = await fakeSnowflake();
  const file = path.join(await temporaryFolder(), 'key.p8');
  await writeFile(file, ENCRYPTED);
  const environment = { SNOWFLAKE_ACCESS_URL: server.url, SNOWFLAKE_USER: 'jo', SNOWFLAKE_PRIVATE_KEY_PATH: file };
  await using warehouse = disposable(open({ ...environment, SNOWFLAKE_PRIVATE_KEY_PASSPHRASE: 'the passphrase' }));
  await warehouse.reach();
  expect(server.logins()[0]?.body.data.AUTHENTICATOR).toBe('SNOWFLAKE_JWT');
  expect(await failure(environment)).toMatchObject({
    kind: 'permission',
    hint: 'it is encrypted: set SNOWFLAKE_PRIVATE_KEY_PASSPHRASE',
  });
  expect(await failure({ ...environment, SNOWFLAKE_PRIVATE_KEY_PASSPHRASE: 'another' })).toMatchObject({
    kind: 'permission',
    hint: expect.stringContaining('check SNOWFLAKE_PRIVATE_KEY_PASSPHRASE'),
  });
  expect(await failure({ ...environment, SNOWFLAKE_PRIVATE_KEY_PATH: `${file}.gone` })).toMatchObject({
    kind: 'permission',
    hint: 'check SNOWFLAKE_PRIVATE_KEY_PATH',
  });
});

it('logs in with an OAuth token, and reads its file anew for every login', async () => {
  const server = await fakeSnowflake({
    statement: (_, count) => (count === 0 ? { code: '390111', message: 'Session no longer exists.' } : undefined),
  });
  const file = path.join(await temporaryFolder(), 'token');
  await writeFile(file, 'first\n');
  await using warehouse = disposable(open({ SNOWFLAKE_ACCESS_URL: server.url, SNOWFLAKE_TOKEN_FILE_PATH: file }));
  const reached = warehouse.reach();
  await expect.poll(() => server.logins().length).toBeGreaterThan(0);
  await writeFile(file, 'second\n');
  await reached;
  expect(server.logins().map(({ body }) => [body.data.AUTHENTICATOR, body.data.TOKEN])).toEqual([
    ['OAUTH', 'first'],
    ['OAUTH', 'second'],
  ]);
});

it('takes a password where nothing else is given, and says once that such logins end', async () => {
  const server = await fakeSnowflake();
  const environment = { SNOWFLAKE_ACCESS_URL: server.url, SNOWFLAKE_USER: 'jo', SNOWFLAKE_PASSWORD: 'the password' };
  const warnings: string[] = [];
  await using warehouse = disposable(open(environment, URL, warnings));
  await Promise.all([warehouse.reach(), warehouse.reach()]);
  expect(server.logins()).toHaveLength(2);
  expect(server.logins()[0]?.body.data).toMatchObject({ LOGIN_NAME: 'jo', PASSWORD: 'the password' });
  expect(warnings).toEqual([expect.stringContaining('use a key pair')]);
  await using other = disposable(open({ ...environment, SNOWFLAKE_PRIVATE_KEY: PLAIN }, URL, warnings));
  await other.reach();
  expect(server.logins().at(-1)?.body.data.AUTHENTICATOR).toBe('SNOWFLAKE_JWT');
  expect(warnings).toHaveLength(1);
});

it('takes the credentials of connections.toml, and the rest from the URL', async () => {
  const server = await fakeSnowflake();
  const home = await temporaryFolder();
  const file = path.join(home, 'connections.toml');
  const environment = { SNOWFLAKE_ACCESS_URL: server.url, SNOWFLAKE_HOME: home };
  const named = (name: string) => `${URL}&connection=${name}`;
  expect(await failure(environment, named('dev'))).toMatchObject({ kind: 'configuration' });
  await writeFile(
    file,
    `[dev]\naccount = "ORG-ACCT"\nuser = "dev"\npassword = "the password"\nrole = "other"\nwarehouse = "other"\n
     [other]\naccount = "elsewhere"\nuser = "dev"\npassword = "the password"\n`,
    { mode: 0o600 },
  );
  await using warehouse = disposable(open(environment, named('dev')));
  await warehouse.reach();
  expect(server.logins()[0]?.body.data).toMatchObject({
    ACCOUNT_NAME: 'org-acct',
    LOGIN_NAME: 'dev',
    PASSWORD: 'the password',
  });
  expect(server.logins()[0]?.query.get('roleName')).toBe('Scorer');
  expect(server.logins()[0]?.query.get('warehouse')).toBe('wh');
  expect(await failure(environment, named('nobody'))).toMatchObject({
    kind: 'configuration',
    message: expect.stringContaining('has no connection nobody'),
  });
  expect(await failure(environment, named('other'))).toMatchObject({
    kind: 'configuration',
    message: expect.stringContaining('elsewhere'),
  });
  await using second = disposable(open({ ...environment, SNOWFLAKE_DEFAULT_CONNECTION_NAME: 'dev' }));
  await second.reach();
  await chmod(file, 0o666);
  expect(await failure(environment, named('dev'))).toMatchObject({ kind: 'permission', hint: `chmod 600 ${file}` });
  await chmod(file, 0o600);
  await writeFile(file, '[dev]\npassword = the password\n');
  expect(await failure(environment, named('dev'))).toMatchObject({
    kind: 'configuration',
    message: `${file} is not valid TOML`,
  });
});

it('says what can be given where nothing is', async () => {
  const home = await temporaryFolder();
  expect(await failure({ SNOWFLAKE_HOME: home })).toMatchObject({
    kind: 'permission',
    details: expect.arrayContaining([expect.stringContaining('SNOWFLAKE_PRIVATE_KEY_PATH')]),
  });
  expect(await failure({ SNOWFLAKE_HOME: home, SNOWFLAKE_PRIVATE_KEY: PLAIN })).toMatchObject({
    kind: 'permission',
    message: 'SNOWFLAKE_USER is not set',
  });
});

it.each([
  ['390100', 'Incorrect username or password was specified.', 'permission'],
  ['390144', 'JWT token is invalid. [0ce9eb56]', 'permission'],
  ['390303', 'Invalid OAuth access token. [0ce9eb56]', 'permission'],
  ['390432', 'Incoming request with IP/Token 1.2.3.4 is not allowed to access Snowflake.', 'permission'],
  ['390189', "Role 'SCORER' specified in the connect string does not exist or not authorized.", 'configuration'],
])('ends with what Snowflake says of a login: %s', async (code, message, kind) => {
  const server = await fakeSnowflake({ login: () => ({ code, message, sqlState: '08001' }) });
  const environment = { SNOWFLAKE_ACCESS_URL: server.url, SNOWFLAKE_USER: 'jo', SNOWFLAKE_PRIVATE_KEY: PLAIN };
  expect(await failure(environment)).toMatchObject({ kind, details: [`${message} (${code})`] });
  expect(server.logins()).toHaveLength(1);
});

it('tells an account that is not there from one that does not answer', async () => {
  const server = await fakeSnowflake({ login: () => ({ status: 403 }) });
  const environment = { SNOWFLAKE_USER: 'jo', SNOWFLAKE_PRIVATE_KEY: PLAIN };
  expect(await failure({ ...environment, SNOWFLAKE_ACCESS_URL: server.url })).toMatchObject({
    kind: 'configuration',
    message: 'there is no Snowflake account org-acct',
  });
  expect(
    await failure({ ...environment, SNOWFLAKE_ACCESS_URL: 'http://127.0.0.1:1', SCORE_BATCH_REQUEST_SECONDS: '3' }),
  ).toMatchObject({ kind: 'unavailable' });
});

it('writes nothing to the working folder', async () => {
  expect((await readdir('.')).filter((name) => name.includes('snowflake'))).toEqual([]);
});

it.each([
  ['snowflake://acct/db', 'write it like'],
  ['snowflake://acct/db/schema/table', 'write it like'],
  ['snowflake:acct/db/schema', 'write it like'],
  ['snowflake:///db/schema', 'write it like'],
  ['snowflake://acct/db/%E0%A4%A', 'write it like'],
  ['snowflake://acct/db/schema?warehose=W', 'did you mean warehouse?'],
  ['snowflake://jo:secret@acct/db/schema', 'remove them'],
])('refuses the URL %s', (url, hint) => {
  const attempt = () => open({}, url);
  expect(attempt).toThrow(expect.objectContaining({ kind: 'configuration', hint: expect.stringContaining(hint) }));
  expect(attempt).not.toThrow(/secret/);
});

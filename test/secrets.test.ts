import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { linearProject } from './support/linear-project.ts';
import { temporaryFolder } from './support/project.ts';
import { type Outcome, startScoreBatch } from './support/score-batch.ts';
import { fakeSnowflake, MASTER_TOKEN, type Script, SESSION_TOKEN } from './warehouse/snowflake/fake-snowflake.ts';

// Secrets wherever a user can have them, commands that fail in every way, and everything that is left behind searched for them.
// The real command line and the real clients, against servers of the suite that refuse as Snowflake and Google document it.

// Each is several processes, and more than one of them may have to wait for a core.
vi.setConfig({ testTimeout: 180_000 });

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const PASSPHRASE = 'passphrase-e3b0c44298';
const PEM = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const ENCRYPTED = privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: PASSPHRASE }).toString();

const PASSWORD = 'password-5feceb66ff';
const TOKEN = 'oauth-token-6b86b273ff';
const SUBJECT_TOKEN = 'subject-token-d4735e3a26';
const ACCESS_TOKEN = 'ya29.access-token-4e07408562';
const PROXY_PASSWORD = 'proxy-password-4b22777284';
const URL_PASSWORD = 'url-password-ef2d127de3';
const HASH_KEY = 'hash-key-e7f6c01177';

/** Of a request, and with it of the pauses before one is sent again. */
const SOON = { SCORE_BATCH_REQUEST_SECONDS: '6' };

const SECRETS = [
  ...[PASSWORD, PASSPHRASE, TOKEN, SUBJECT_TOKEN, ACCESS_TOKEN, PROXY_PASSWORD, URL_PASSWORD, HASH_KEY],
  ...[SESSION_TOKEN, MASTER_TOKEN],
  ...[PEM, ENCRYPTED].map((pem) => pem.split('\n')[3] ?? ''),
  // As a proxy is told.
  Buffer.from(`jo:${PROXY_PASSWORD}`).toString('base64'),
];

/** Every command that reaches a warehouse. */
const COMMANDS = [['--week', '-v', '--json'], ['check', '-v'], ['plan', '--week', '--json'], ['status'], ['report', '--week']];

interface Place {
  readonly project: string;
  /** Holds project, home and the folder for what is temporary. */
  readonly root: string;
  /** Files that hold secrets because the user keeps them there. */
  readonly kept: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

/** A project of which everything that its commands could write to is in one folder. */
async function place(
  url: string,
  environment: NodeJS.ProcessEnv,
  files: Readonly<Record<string, string>> = {},
): Promise<Place> {
  const root = await temporaryFolder();
  const project = await linearProject({ edit: (job) => job.replace('duckdb:data/warehouse.duckdb', url) });
  for (const name of ['home', 'tmp']) await mkdir(path.join(root, name));
  const kept = Object.keys(files).map((name) => path.join(root, name));
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(root, name), text, { mode: 0o600 });
  const own = { HOME: path.join(root, 'home'), TMPDIR: path.join(root, 'tmp'), SCORE_BATCH_HASH_KEY: HASH_KEY, ...SOON };
  const resolved = Object.entries(environment).map(([name, value]) => [name, value?.replace('ROOT', root)]);
  return { project, root, kept, environment: { ...NOBODYS, ...own, ...Object.fromEntries(resolved) } };
}

/** What the machine's own user has must not take part. */
const NOBODYS = Object.fromEntries(
  Object.keys(process.env)
    .filter((name) => /^(SNOWFLAKE|SF|GOOGLE|GCLOUD|CLOUDSDK|BIGQUERY)_|proxy$/i.test(name))
    .map((name) => [name, undefined]),
);

/** Runs a command and looks for secrets in what it said, in its process's title, and in every file that it left. */
async function searched({ project, root, kept, environment }: Place, args: readonly string[]): Promise<Outcome> {
  const running = startScoreBatch(project, args, environment);
  const title = await readFile(`/proc/${running.process.pid}/cmdline`, 'utf8').catch(() => '');
  const outcome = await running.ended;
  const left = [...(await textsIn(project)), ...(await textsIn(root))].filter(([file]) => !kept.includes(file));
  const all = [['stdout', outcome.stdout], ['stderr', outcome.stderr], ['title', title], ...left] as const;
  const found = all.flatMap(([where, text]) =>
    SECRETS.filter((secret) => text.includes(secret)).map((secret) => [where, secret]),
  );
  expect(found).toEqual([]);
  return outcome;
}

async function textsIn(folder: string): Promise<[file: string, text: string][]> {
  const names = await readdir(folder, { recursive: true });
  const files: [string, string][] = [];
  for (const name of names) {
    const file = path.join(folder, name);
    if ((await stat(file)).isFile()) files.push([file, await readFile(file, 'latin1')]);
  }
  return files;
}

describe('Snowflake', () => {
  const URL = 'snowflake://org-acct/shop/public?warehouse=w';
  const refused = (code: string, message: string): Script => ({ login: () => ({ code, message, sqlState: '08001' }) });
  /** An error of which nobody has heard, by a server that repeats its tokens. */
  const unheard: Script = {
    statement: () => ({ code: '987654', message: `nobody has heard of ${SESSION_TOKEN} and ${MASTER_TOKEN}`, sqlState: '' }),
  };

  it.each<[string, Script, [run: number, status: number], NodeJS.ProcessEnv, Record<string, string>]>([
    [
      'a password that is wrong',
      refused('390100', 'Incorrect username or password was specified.'),
      [77, 77],
      { SNOWFLAKE_PASSWORD: PASSWORD },
      {},
    ],
    ['a key that is refused', refused('390144', 'JWT token is invalid.'), [77, 77], { SNOWFLAKE_PRIVATE_KEY: PEM }, {}],
    [
      'an encrypted key, and an error of which nobody has heard',
      unheard,
      [69, 69],
      { SNOWFLAKE_PRIVATE_KEY_PATH: 'ROOT/key.p8', SNOWFLAKE_PRIVATE_KEY_PASSPHRASE: PASSPHRASE },
      { 'key.p8': ENCRYPTED },
    ],
    [
      'a key of which the passphrase is another',
      unheard,
      [77, 77],
      { SNOWFLAKE_PRIVATE_KEY: ENCRYPTED, SNOWFLAKE_PRIVATE_KEY_PASSPHRASE: URL_PASSWORD },
      {},
    ],
    [
      'a token, and an error of which nobody has heard',
      unheard,
      [69, 69],
      { SNOWFLAKE_TOKEN_FILE_PATH: 'ROOT/token' },
      { token: TOKEN },
    ],
    ['a token that has expired', refused('390318', 'OAuth access token expired.'), [77, 77], { SNOWFLAKE_TOKEN: TOKEN }, {}],
    [
      'a connection, and an account that is not there',
      { login: () => ({ status: 403 }) },
      [78, 78],
      { SNOWFLAKE_HOME: 'ROOT' },
      { 'connections.toml': `[default]\naccount = "org-acct"\nuser = "jo"\npassword = "${PASSWORD}"\n` },
    ],
    [
      'a connection that is not TOML',
      {},
      [78, 78],
      { SNOWFLAKE_HOME: 'ROOT' },
      { 'connections.toml': `[default]\npassword = ${PASSWORD}\n` },
    ],
  ])('%s', async (_, script, [run, status], environment, files) => {
    const server = await fakeSnowflake(script);
    const base = { SNOWFLAKE_ACCESS_URL: server.url, SNOWFLAKE_USER: 'jo' };
    const there = await place(URL, { ...base, ...environment }, files);
    expect((await searched(there, ['--week', '-v', '--json'])).code).toBe(run);
    expect((await searched(there, ['check'])).code).toBe(status);
    const json = await searched({ ...there, environment: { ...there.environment, SCORE_BATCH_LOG: 'json' } }, ['status', '-v']);
    expect(JSON.parse(json.stderr.trim().split('\n').at(-1) ?? '')).toMatchObject({ level: 'error', exit_code: status });
  });

  it('a proxy that does not answer', async () => {
    const proxy = `http://jo:${PROXY_PASSWORD}@127.0.0.1:1`;
    const there = await place(URL, {
      HTTPS_PROXY: proxy,
      HTTP_PROXY: proxy,
      SNOWFLAKE_USER: 'jo',
      SNOWFLAKE_PASSWORD: PASSWORD,
    });
    expect((await searched(there, ['status', '-v'])).code).toBe(69);
  });
});

describe('BigQuery', () => {
  const URL = 'bigquery://project/home?location=EU';

  /** Gives tokens, and is a proxy that lets nobody through. */
  async function google(): Promise<{ url: string; asked: string[] }> {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      const token = { access_token: ACCESS_TOKEN, expires_in: 3600, token_type: 'Bearer', issued_token_type: 'x' };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(token));
    }).on('connect', (request, socket) => {
      asked.push(`CONNECT ${request.url}`);
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
  }

  it('a workload identity whose token gets as far as a proxy', async () => {
    const { url, asked } = await google();
    const proxy = url.replace('//', `//jo:${PROXY_PASSWORD}@`);
    const credentials = {
      type: 'external_account',
      audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/provider',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `${url}/token`,
      credential_source: { file: 'ROOT/subject-token' },
    };
    const root = await temporaryFolder();
    const file = path.join(root, 'credentials.json');
    await writeFile(path.join(root, 'subject-token'), SUBJECT_TOKEN);
    await writeFile(file, JSON.stringify(credentials).replace('ROOT', root));
    const environment = { GOOGLE_APPLICATION_CREDENTIALS: file, HTTPS_PROXY: proxy, NO_PROXY: '127.0.0.1' };
    const there = await place(URL, { ...environment, METADATA_SERVER_DETECTION: 'none' });
    const outcome = await searched(there, ['status', '-v', '--json']);
    expect(outcome.code).not.toBe(0);
    expect(asked).toEqual(expect.arrayContaining(['POST /token', expect.stringMatching(/^CONNECT bigquery\.googleapis\.com/)]));
  });

  it('a service account whose key nobody takes', async () => {
    const { url } = await google();
    const key = {
      type: 'service_account',
      client_email: 'jo@project.iam.gserviceaccount.com',
      private_key: PEM,
      project_id: 'project',
    };
    const environment = {
      GOOGLE_APPLICATION_CREDENTIALS: 'ROOT/key.json',
      HTTPS_PROXY: url.replace('//', `//jo:${PROXY_PASSWORD}@`),
    };
    const there = await place(URL, { ...environment, METADATA_SERVER_DETECTION: 'none' }, { 'key.json': JSON.stringify(key) });
    for (const args of COMMANDS.slice(0, 2)) expect((await searched(there, args)).code).not.toBe(0);
  });
});

describe('a URL of the environment that is not a warehouse of ours', () => {
  it.each([
    `postgres://jo:${URL_PASSWORD}@db.example.com/shop`,
    `snowflake://jo:${URL_PASSWORD}@org-acct/shop/public`,
    `snowflake://jo:${URL_PASSWORD} @org-acct:x/shop/public`,
    `snowflake://org-acct/shop?token=${URL_PASSWORD}`,
    `bigquery://jo:${URL_PASSWORD}@project/home`,
    `bigquery://project/home?access_token=${URL_PASSWORD}`,
    `duckdb:md:shop?motherduck_token=${URL_PASSWORD}`,
  ])('%s', async (url) => {
    const there = await place('$' + '{WAREHOUSE_URL}', { WAREHOUSE_URL: url });
    for (const args of COMMANDS.slice(2, 4)) expect((await searched(there, args)).code).toBe(78);
  });
});

it('a run that ends well tells nothing either, in its tables too', async () => {
  const secrets = {
    SNOWFLAKE_PASSWORD: PASSWORD,
    SNOWFLAKE_TOKEN: TOKEN,
    SNOWFLAKE_PRIVATE_KEY: PEM,
    HTTPS_PROXY: `http://jo:${PROXY_PASSWORD}@proxy`,
  };
  const there = await place('duckdb:data/warehouse.duckdb', secrets);
  for (const args of COMMANDS) expect((await searched(there, args)).code).toBe(0);
  // DuckDB compresses little of so short a ledger; that it can be searched at all is seen by what it must hold.
  const database = await readFile(path.join(there.project, 'data/warehouse.duckdb'), 'latin1');
  expect(database).toContain('select user_id, a, b, country from users');
  expect(existsSync(path.join(there.project, 'reports/linear-1997-W11.csv'))).toBe(true);
});

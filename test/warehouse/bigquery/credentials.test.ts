import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import type { ScoreBatchError } from '../../../src/errors.ts';
import { withoutSecrets } from '../../../src/secrets.ts';
import { openBigquery } from '../../../src/warehouse/bigquery/open.ts';
import { DEFAULT_TIMEOUTS } from '../../../src/warehouse/timeouts.ts';
import { temporaryFolder } from '../../support/project.ts';

// Files of credentials as Google's tools write them, with the addresses in them changed to a local server that answers as
// Google documents; unproven on Google's own. No request gets as far as BigQuery.

const REJECTED = { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' };

beforeEach(async () => {
  // No credentials of the user who runs the tests.
  const home = await temporaryFolder();
  for (const name of ['HOME', 'APPDATA', 'CLOUDSDK_CONFIG']) vi.stubEnv(name, home);
  for (const name of ['GOOGLE_APPLICATION_CREDENTIALS', 'GOOGLE_CLOUD_PROJECT', 'GCLOUD_PROJECT']) vi.stubEnv(name, undefined);
});
afterEach(() => vi.unstubAllEnvs());

interface Sent {
  readonly path: string;
  readonly body: string;
  readonly authorization: string | undefined;
}

/** Answers requests for tokens. */
async function tokenServer(
  answer: (request: Sent) => [status: number, body: unknown, headers?: Readonly<Record<string, string>>],
) {
  const requests: Sent[] = [];
  const server = createServer(async (request, response) => {
    const sent = { path: request.url ?? '', body: await textOf(request), authorization: request.headers.authorization };
    requests.push(sent);
    const [status, body, headers] = answer(sent);
    const contentType = typeof body === 'string' ? 'text/html' : 'application/json';
    response.writeHead(status, { 'content-type': contentType, ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}

/** A file of credentials, and the variable that names it. */
async function use(content: string): Promise<void> {
  const file = path.join(await temporaryFolder(), 'credentials.json');
  await writeFile(file, content);
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', file);
}

/** What asking for the URL's dataset ends with. */
async function reach(): Promise<unknown> {
  const warehouse = openBigquery(
    {
      url: 'bigquery://project/home?location=EU',
      job: 'weekly',
      root: '/',
      scratch: 'scratch',
      memory: 1e8,
      maxBytes: undefined,
      signal: new AbortController().signal,
      environment: {},
      warn: () => undefined,
    },
    { ...DEFAULT_TIMEOUTS, attempts: 2, pause: 5 },
  );
  return await warehouse.reach().then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** A workload identity: Google changes the token of another provider, which lies in a file, for one of its own. */
async function workloadIdentity(url: string) {
  const file = path.join(await temporaryFolder(), 'subject-token');
  await writeFile(file, 'of-the-provider');
  return {
    type: 'external_account',
    audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/provider',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: `${url}/token`,
    credential_source: { file },
  };
}

it('credentials that were revoked are refused', async () => {
  const google = await tokenServer(() => [400, REJECTED]);
  await use(JSON.stringify(await workloadIdentity(google.url)));
  expect(await reach()).toMatchObject({
    kind: 'permission',
    hint: expect.stringContaining('service account'),
    details: [expect.stringContaining('invalid_grant')],
  });
  expect(google.requests.map((request) => request.path)).toEqual(['/token']);
  expect(google.requests[0]?.body).toContain('subject_token=of-the-provider');
});

it('an impersonation is asked for, with a token of the source', async () => {
  const google = await tokenServer(({ path: asked }) =>
    asked === '/token'
      ? [200, { access_token: 'of-the-source', expires_in: 3600, token_type: 'Bearer', issued_token_type: 'x' }]
      : [
          403,
          {
            error: {
              code: 403,
              status: 'PERMISSION_DENIED',
              message: "Permission 'iam.serviceAccounts.getAccessToken' denied",
            },
          },
        ],
  );
  const account = 'projects/-/serviceAccounts/scorer@project.iam.gserviceaccount.com';
  await use(
    JSON.stringify({
      type: 'impersonated_service_account',
      // In a real file this begins with https://iamcredentials.googleapis.com; the library takes only the account from it.
      service_account_impersonation_url: `${google.url}/v1/${account}:generateAccessToken`,
      endpoint: google.url,
      source_credentials: await workloadIdentity(google.url),
    }),
  );
  expect(await reach()).toMatchObject({ kind: 'permission', hint: expect.stringContaining('serviceAccountTokenCreator') });
  expect(google.requests.map((request) => request.path)).toEqual(['/token', `/v1/${account}:generateAccessToken`]);
  expect(google.requests[1]?.authorization).toBe('Bearer of-the-source');
});

it('no credentials at all are said to be missing, without a request that could not succeed', async () => {
  expect(await reach()).toMatchObject({
    kind: 'permission',
    hint: expect.stringContaining('gcloud auth application-default login'),
  });
});

it('a file of credentials that is not there is named', async () => {
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', '/nowhere/credentials.json');
  expect(await reach()).toMatchObject({ kind: 'permission', hint: expect.stringContaining('JSON file') });
});

it('a file of credentials that holds something else is named', async () => {
  await use('not json');
  expect(await reach()).toMatchObject({ kind: 'permission', hint: expect.stringContaining('JSON file') });
});

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const PEM = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const KEY_LINE = PEM.split('\n')[3] ?? '';
const ACCOUNT = { type: 'service_account', client_email: 'scorer@project.iam.gserviceaccount.com', private_key: PEM };

it.each<[string, string]>([
  ['is cut in its key', JSON.stringify(ACCOUNT).slice(0, 400)],
  ['has a line break in its key', JSON.stringify(ACCOUNT).replace(/\\n/g, '\n')],
  ['has a key that is cut', JSON.stringify({ ...ACCOUNT, private_key: PEM.slice(0, 700) })],
  ['has no key', JSON.stringify({ ...ACCOUNT, private_key: undefined })],
  ['has no type', JSON.stringify({ private_key: PEM })],
  ['is a list', '[]'],
])('a file of credentials that %s is refused without a word of it', async (_, content) => {
  await use(content);
  const error = await reach();
  expect(error).toMatchObject({ kind: 'permission', hint: expect.stringContaining('JSON file') });
  const shown = inspect(error, { depth: 20, showHidden: true });
  for (let at = 0; at + 8 <= KEY_LINE.length; at += 8) expect(shown).not.toContain(KEY_LINE.slice(at, at + 8));
});

it('gcloud’s own file is named where it is broken', async () => {
  const home = await temporaryFolder();
  vi.stubEnv('HOME', home);
  await mkdir(path.join(home, '.config/gcloud'), { recursive: true });
  await writeFile(path.join(home, '.config/gcloud/application_default_credentials.json'), '{"refresh_token": "1//secret');
  expect(await reach()).toMatchObject({ kind: 'permission', hint: expect.stringContaining('gcloud auth') });
});

it.each([301, 302, 307, 308])('a token server that redirects (%i) to another host gets no token there', async (status) => {
  const elsewhere = await tokenServer(() => [200, {}]);
  const google = await tokenServer(() => [status, {}, { location: `${elsewhere.url}/token` }]);
  await use(JSON.stringify(await workloadIdentity(google.url)));
  expect(await reach()).toMatchObject({ kind: 'unavailable', hint: expect.stringContaining('captive portal') });
  expect(google.requests.length).toBeGreaterThan(0);
  expect(elsewhere.requests).toEqual([]);
});

it.each<[string, number, unknown]>([
  ['HTML with 200', 200, '<html>log in</html>'],
  ['HTML with 403', 403, '<html>log in</html>'],
  ['nothing', 200, ''],
])('%s instead of a token is a captive portal', async (_, status, body) => {
  const google = await tokenServer(() => [status, body]);
  await use(JSON.stringify(await workloadIdentity(google.url)));
  expect(await reach()).toMatchObject({ kind: 'unavailable', hint: expect.stringContaining('captive portal') });
});

it('secrets of the file, and tokens that are got with it, are masked in whatever a server repeats', async () => {
  const google = await tokenServer(({ path: asked, body, authorization }) =>
    asked === '/token'
      ? [200, { access_token: 'of-the-source-31', expires_in: 3600, token_type: 'Bearer', issued_token_type: 'x' }]
      : [400, { error: { code: 400, message: `bad: ${authorization} ${body}`, status: 'INVALID_ARGUMENT' } }],
  );
  await use(
    JSON.stringify({
      type: 'impersonated_service_account',
      service_account_impersonation_url: `${google.url}/v1/projects/-/serviceAccounts/a@b:generateAccessToken`,
      endpoint: google.url,
      client_secret: 'client-secret-5b1',
      source_credentials: await workloadIdentity(google.url),
    }),
  );
  const error = (await reach()) as ScoreBatchError;
  expect(error.details.join()).toContain('of-the-source-31');
  expect(withoutSecrets(error.details.join())).not.toContain('of-the-source-31');
  expect(withoutSecrets('client-secret-5b1 of-the-provider')).toBe('[secret] [secret]');
});

import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { openBigquery } from '../../../src/warehouse/bigquery/open.ts';
import { PACE } from '../../../src/warehouse/pace.ts';
import { temporaryFolder } from '../../support/project.ts';

// Files of credentials as Google's tools write them, with the addresses in them changed to a local server that answers as
// Google documents; unproven on Google's own. No request gets as far as BigQuery.

const REJECTED = { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' };

beforeEach(async () => {
  // No credentials of whoever runs the tests.
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
async function tokenServer(answer: (request: Sent) => [status: number, body: unknown]) {
  const requests: Sent[] = [];
  const server = createServer(async (request, response) => {
    const sent = { path: request.url ?? '', body: await textOf(request), authorization: request.headers.authorization };
    requests.push(sent);
    const [status, body] = answer(sent);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
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
    { ...PACE, attempts: 2, pause: 5 },
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

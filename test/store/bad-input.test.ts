import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { storeAddressProblem } from '../../src/domain/store-address.ts';
import { gcsError } from '../../src/store/gcs-failure.ts';
import { linearProject } from '../support/linear-project.ts';
import { temporaryFolder } from '../support/project.ts';
import { scoreBatch } from '../support/score-batch.ts';

// Answers in the documented form of each store, and none at all. No account of a cloud is needed.

const KEYS = { AWS_ACCESS_KEY_ID: 'store-test', AWS_SECRET_ACCESS_KEY: 'store-test-secret', AWS_REGION: 'us-east-1' };

it.each([
  ['gs://Reports/{window}.csv', /only a to z/],
  ['s3://re_ports/{window}.csv', /only a to z, 0 to 9, - and \./],
  ['gs://a/{window}.csv', /3 to 63 characters/],
  ['s3://192.168.0.1/{window}.csv', /IP address/],
  ['s3://reports-/{window}.csv', /begin and end/],
  ['s3://a..b/{window}.csv', /between dots/],
  ['gs://churn-{window}/a.csv', /belongs into the name of the object/],
  ['gs://reports/a.csv', /must contain \{window\}/],
  ['gs://reports', /must name a bucket and an object/],
  ['s3:///{window}.csv', /must name a bucket and an object/],
  ['gs://reports/../{window}.csv', /must not contain \. or \.\./],
  ['gs://reports//{window}.csv', /two slashes/],
  [`gs://reports/${'a'.repeat(1000)}{window}.csv`, /must be shorter/],
])('refuses %s as an address', (address, problem) => {
  expect(storeAddressProblem(address)).toMatch(problem);
});

it('accepts names that only one of the stores allows', () => {
  expect(storeAddressProblem('gs://re_ports.example.org/a b/größe-{window}.csv')).toBeUndefined();
  expect(storeAddressProblem('s3://reports.2026/{window}.csv')).toBeUndefined();
});

/** A server that answers everything alike; undefined: never. */
async function answering(answer: { readonly status: number; readonly body: string; readonly type: string } | undefined) {
  return await listening(
    http.createServer((request, response) => {
      request.resume();
      if (answer !== undefined) response.writeHead(answer.status, { 'content-type': answer.type }).end(answer.body);
    }),
  );
}

async function listening(server: http.Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `${server instanceof https.Server ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const xml = (status: number, code: string) => ({
  status,
  type: 'application/xml',
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>in the words of the store</Message></Error>`,
});
const json = (status: number, reason: string) => ({
  status,
  type: 'application/json',
  body: JSON.stringify({
    error: {
      code: status,
      message: 'in the words of the store',
      errors: [{ reason, message: 'in the words of the store', domain: 'global' }],
    },
  }),
});
const html = { status: 200, type: 'text/html', body: '<html>welcome' };

it.each([
  ['s3', 'a bucket without rights', xml(403, 'AccessDenied'), 77],
  ['s3', 'a bucket that is not there', xml(404, 'NoSuchBucket'), 78],
  ['s3', 'a store that is down', xml(503, 'SlowDown'), 69],
  ['s3', 'a store that hangs', undefined, 69],
  ['s3', 'another kind of server', html, 78],
  ['gs', 'a bucket without rights', json(403, 'forbidden'), 77],
  ['gs', 'a bucket that is not there', json(404, 'notFound'), 78],
  ['gs', 'a store that is down', json(503, 'backendError'), 69],
  ['gs', 'a store that hangs', undefined, 69],
] as const)('ends over %s, for %s, before a row moves', async (scheme, _, answer, code) => {
  const endpoint = await answering(answer);
  const folder = await linearProject({ edit: (job) => job.replace(/csv: .*/, `csv: ${scheme}://reports/linear-{window}.csv`) });
  const environment = {
    AWS_ENDPOINT_URL: endpoint,
    STORAGE_EMULATOR_HOST: endpoint,
    ...KEYS,
    SCORE_BATCH_REQUEST_SECONDS: '0.3',
  };
  for (const args of [['check'], ['--week']]) {
    const ended = await scoreBatch(folder, args, environment);
    expect(ended.code, ended.stdout + ended.stderr).toBe(code);
    expect(ended.stdout + ended.stderr).toContain(`${scheme}://reports`);
    expect(ended.stdout + ended.stderr).toContain('hint: ');
    expect(ended.stdout + ended.stderr).not.toMatch(/store-test-secret|\n {4}at /);
    expect(ended.stderr).not.toContain('scoring');
  }
});

it.each(['s3', 'gs'] as const)('says what to do without credentials over %s', async (scheme) => {
  const folder = await linearProject({ edit: (job) => job.replace(/csv: .*/, `csv: ${scheme}://reports/linear-{window}.csv`) });
  const none = Object.fromEntries(
    Object.keys(process.env)
      .filter((name) => /^(AWS|GOOGLE|GCLOUD|STORAGE)_/.test(name))
      .map((name) => [name, undefined]),
  );
  const nothing = {
    ...none,
    HOME: folder,
    CLOUDSDK_CONFIG: folder,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_REGION: 'us-east-1',
  };
  const file = { METADATA_SERVER_DETECTION: 'none', SCORE_BATCH_REQUEST_SECONDS: '0.3' };
  const ended = await scoreBatch(folder, ['--week'], { ...nothing, ...file });
  expect(ended.code, ended.stderr).toBe(77);
  expect(ended.stderr).toContain(`there are no usable credentials for ${scheme}://reports`);
});

/** A job whose list, or page, is in a store at an endpoint. */
async function checked(scheme: 's3' | 'gs', endpoint: string, { kind = 'csv', ...environment }: NodeJS.ProcessEnv = {}) {
  const folder = await linearProject({ edit: (job) => job.replace(/csv: .*/, `${kind}: ${scheme}://reports/l-{window}.html`) });
  const there = { AWS_ENDPOINT_URL: endpoint, STORAGE_EMULATOR_HOST: endpoint, ...KEYS, SCORE_BATCH_REQUEST_SECONDS: '0.3' };
  const { code, stderr } = await scoreBatch(folder, ['--week'], { ...there, ...environment });
  return { code, stderr };
}

it('says that a certificate is not trusted', async () => {
  const folder = await temporaryFolder();
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key', '-out', 'cert'];
  const name = ['-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', ['req', '-x509', ...key, ...name], { cwd: folder, stdio: 'pipe' });
  const [own, cert] = ['key', 'cert'].map((file) => readFileSync(path.join(folder, file)));
  const ended = await checked('s3', await listening(https.createServer({ key: own, cert })));
  expect(ended).toEqual({ code: 78, stderr: expect.stringContaining('server for s3://reports is not trusted') });
  expect(ended.stderr).toContain('NODE_EXTRA_CA_CERTS');
  // The client of Google tries for 16 s before it ends with this error.
  const error = Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  expect(gcsError({ scheme: 'gs', bucket: 'reports', key: 'a' }, error)).toMatchObject({
    kind: 'configuration',
    hint: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
  });
});

it('ends over S3 for an answer that stops after its headers', async () => {
  const stopping = http.createServer((request, response) => {
    request.resume();
    if (request.method === 'HEAD') response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': 'application/xml' }).write('<?xml');
  });
  expect(await checked('s3', await listening(stopping))).toMatchObject({ code: 69 });
});

it('names a token that may have expired where S3 refuses without a word', async () => {
  const ended = await checked('s3', await answering({ status: 400, type: 'application/xml', body: '' }));
  expect(ended).toEqual({ code: 78, stderr: expect.stringContaining('whether AWS_SESSION_TOKEN has expired') });
});

it('needs the right to list for a page, and a folder for drafts, before a row moves', async () => {
  const begun = '<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>';
  const unlisted = http.createServer((request, response) => {
    request.resume();
    if (request.method === 'HEAD') response.writeHead(404).end();
    else if (request.method === 'DELETE') response.writeHead(204).end();
    else if (request.method === 'POST') response.writeHead(200, { 'content-type': 'application/xml' }).end(begun);
    else response.writeHead(403, { 'content-type': 'application/xml' }).end(xml(403, 'AccessDenied').body);
  });
  const endpoint = await listening(unlisted);
  const refused = await checked('s3', endpoint, { kind: 'page' });
  expect(refused).toEqual({ code: 77, stderr: expect.stringContaining('s3:ListBucket') });
  expect(refused.stderr).not.toContain('scoring');
  const file = path.join(await temporaryFolder(), 'file');
  writeFileSync(file, '');
  const undrafted = await checked('s3', endpoint, { TMPDIR: file });
  expect(undrafted).toEqual({ code: 77, stderr: expect.stringContaining('set TMPDIR to an existing folder') });
});

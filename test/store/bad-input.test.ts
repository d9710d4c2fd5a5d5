import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { storeAddressProblem } from '../../src/domain/store-address.ts';
import { linearProject } from '../support/linear-project.ts';
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
  const server = http.createServer((request, response) => {
    request.resume();
    if (answer !== undefined) response.writeHead(answer.status, { 'content-type': answer.type }).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
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
  expect(ended.stderr).toContain(`no credentials for ${scheme}://reports can be used`);
});

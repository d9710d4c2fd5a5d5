import { createHash } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { IRIS, served } from '../served.ts';

const TOKEN = 'a-token-of-a-client-0123456789';
const TOKENS = [createHash('sha256').update(TOKEN).digest('hex')];
const BODY = '{"rows": [{"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}]}';

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Asks with headers that `fetch` does not let anyone set. */
async function ask(url: string, headers: Record<string, string>, method = 'GET', body = ''): Promise<Answer> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(url, { method, headers: { ...headers, 'content-length': body.length } }, resolve)
      .on('error', reject)
      .end(body);
  });
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
}

it('answers on loopback for its own names only, so no other name can be made to point to it', async () => {
  const { addresses } = await served([IRIS], { hosts: ['score.local'] });
  const { port } = new URL(addresses.http);
  const url = `${addresses.http}/v1/models/iris/predict`;
  for (const host of ['127.0.0.1', 'localhost', 'LOCALHOST', 'score.local', '[::1]', '127.0.0.2'])
    expect((await ask(url, { host: `${host}:${port}` }, 'POST', BODY)).status, host).toBe(200);
  for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1.evil.example', 'localhost.evil.example', '10.0.0.1']) {
    const { status, body } = await ask(url, { host }, 'POST', BODY);
    expect({ host, status }).toEqual({ host, status: 403 });
    expect(JSON.parse(body)).toMatchObject({ error: 'this server does not accept that host name' });
  }
  // The names hold for every address, also those that do not exist.
  for (const path of ['/', '/metrics', '/v2/health/live', '/none'])
    expect((await ask(addresses.http + path, { host: 'evil.example' })).status, path).toBe(403);
});

it('answers beyond loopback for the hosts that are named, for addresses, and for probes', async () => {
  const { addresses } = await served([IRIS], { host: '0.0.0.0', hosts: ['score.example.com'] });
  const { port } = new URL(addresses.http);
  const base = `http://127.0.0.1:${port}`;
  for (const host of [
    'score.example.com',
    `SCORE.example.com:${port}`,
    'localhost',
    '127.0.0.1',
    `10.0.0.1:${port}`,
    '[fd00::1]',
  ])
    expect((await ask(`${base}/v1/models/iris/predict`, { host }, 'POST', BODY)).status, host).toBe(200);
  for (const host of ['evil.example', 'score.example.com.evil.example', '10.0.0.1.evil.example']) {
    for (const path of ['/', '/served.json', '/metrics', '/v2/models/iris', '/none'])
      expect((await ask(base + path, { host })).status, `${host}${path}`).toBe(403);
    expect((await ask(`${base}/v1/models/iris/predict`, { host }, 'POST', BODY)).status, host).toBe(403);
  }
  for (const path of ['/v2/health/live', '/v2/health/ready'])
    expect((await ask(base + path, { host: 'evil.example' })).status, path).toBe(200);

  const any = await served([IRIS], { host: '0.0.0.0' });
  const url = any.addresses.http.replace('0.0.0.0', '127.0.0.1');
  expect((await ask(`${url}/v1/models/iris/predict`, { host: 'any.example' }, 'POST', BODY)).status).toBe(200);
});

it('refuses pages of other origins, and takes its own and those that are configured', async () => {
  const { addresses } = await served([IRIS], { origins: ['https://shop.example.com'] });
  const url = `${addresses.http}/v1/models/iris/predict`;
  const { host } = new URL(url);
  for (const origin of ['https://shop.example.com', `http://${host}`])
    expect((await ask(url, { origin }, 'POST', BODY)).status, origin).toBe(200);
  for (const origin of [
    'https://evil.example',
    'http://shop.example.com',
    'https://shop.example.com.evil.example',
    'null',
    'http://localhost',
  ])
    expect((await ask(url, { origin }, 'POST', BODY)).status, origin).toBe(403);
});

it('asks for a token everywhere but at the probes, before it reads a body', async () => {
  const { addresses } = await served([IRIS], { tokens: TOKENS });
  const predict = `${addresses.http}/v1/models/iris/predict`;
  for (const path of ['/v2', '/v2/models/iris', '/v2/models/iris/ready', '/metrics', '/none']) {
    const { status, headers, body } = await ask(addresses.http + path, {});
    expect({ path, status }).toEqual({ path, status: 401 });
    expect(headers['www-authenticate']).toBe('Bearer realm="score-batch"');
    expect(JSON.parse(body)).toEqual({ error: 'a bearer token is required', hint: 'send `Authorization: Bearer …`' });
  }
  for (const path of ['/v2/health/live', '/v2/health/ready'])
    expect((await ask(addresses.http + path, {})).status, path).toBe(200);
  const wrong = await ask(predict, { authorization: `Bearer ${TOKEN}x` }, 'POST', BODY);
  expect(wrong.status).toBe(401);
  expect(wrong.headers['www-authenticate']).toContain('error="invalid_token"');
  expect(wrong.body).not.toContain(TOKEN);
  expect((await ask(predict, { authorization: `Bearer ${TOKEN}` }, 'POST', BODY)).status).toBe(200);
  // The body is larger than is taken, and not even looked at.
  expect((await ask(predict, {}, 'POST', 'x'.repeat(9 * 2 ** 20))).status).toBe(401);
});

it('tells browsers and caches to keep nothing, and names each request', async () => {
  const { addresses } = await served([IRIS]);
  const url = `${addresses.http}/v1/models/iris/predict`;
  const { headers } = await ask(url, { 'x-request-id': 'order-17' }, 'POST', BODY);
  expect(headers).toMatchObject({
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'x-request-id': 'order-17',
  });
  expect(headers).not.toHaveProperty('server');
  const strange = await ask(url, { 'x-request-id': 'a b<script>' }, 'POST', BODY);
  expect(strange.headers['x-request-id']).toMatch(/^[\w-]+$/);
});

import { expect, it } from 'vitest';
import { IRIS, served } from '../served.ts';

const SHOP = 'https://shop.example';
const BODY = JSON.stringify({ rows: [{ sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 }] });

/** What a browser asks before it lets a page of this origin send JSON, and the request itself. */
async function ask(address: string, origin: string): Promise<{ preflight: Response; answer: Response }> {
  const url = `${address}/v1/models/iris/predict`;
  const asked = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' };
  const preflight = await fetch(url, { method: 'OPTIONS', headers: { origin, ...asked } });
  const headers = { origin, 'content-type': 'application/json' };
  return { preflight, answer: await fetch(url, { method: 'POST', headers, body: BODY }) };
}

it('lets pages of the configured origins call, and no others', async () => {
  const { addresses } = await served([IRIS], { origins: [SHOP, 'https://other.example'] });
  const { preflight, answer } = await ask(addresses.http, SHOP);
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get('access-control-allow-methods')).toBe('GET, POST');
  expect(preflight.headers.get('access-control-allow-headers')?.toLowerCase()).toContain('content-type');
  expect(answer.status).toBe(200);
  for (const { headers } of [preflight, answer]) {
    expect(headers.get('access-control-allow-origin')).toBe(SHOP);
    expect(headers.get('access-control-allow-credentials')).toBeNull();
    expect(headers.get('vary')).toMatch(/Origin/);
  }
  expect(answer.headers.get('access-control-expose-headers')).toContain('Retry-After');
  for (const one of Object.values(await ask(addresses.http, 'https://shop.example.evil.example'))) {
    expect(one.status).toBe(403);
    expect(one.headers.get('access-control-allow-origin')).toBeNull();
  }
  // An answer without an origin may be cached, and then be given to a page.
  expect((await fetch(`${addresses.http}/v1/models`)).headers.get('vary')).toMatch(/Origin/);
});

it('says * if any origin may call, still without credentials', async () => {
  const { addresses } = await served([IRIS], { origins: ['*'] });
  for (const { status, headers } of Object.values(await ask(addresses.http, SHOP))) {
    expect(status).toBeLessThan(300);
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(headers.get('access-control-allow-credentials')).toBeNull();
  }
});

it('allows nothing unless it is configured', async () => {
  const { addresses } = await served([IRIS]);
  for (const { status, headers } of Object.values(await ask(addresses.http, SHOP))) {
    expect(status).toBe(403);
    expect(headers.get('access-control-allow-origin')).toBeNull();
  }
});

it('answers a preflight without a token, since browsers send none, and tells the page that it needs one', async () => {
  const { addresses } = await served([IRIS], { origins: [SHOP], tokens: ['0'.repeat(64)] });
  const { preflight, answer } = await ask(addresses.http, SHOP);
  expect(preflight.status).toBe(204);
  expect(answer.status).toBe(401);
  expect(answer.headers.get('access-control-allow-origin')).toBe(SHOP);
});

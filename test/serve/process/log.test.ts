import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { startServer } from './server.ts';

const OLD = 'old-token-0123456789abcdef';
const NEW = 'new-token-0123456789abcdef';
const ROW = { sepal_length: 5.13579, sepal_width: 3.5, petal_length: 1.4, petal_width: 98.7654 };

it('logs requests as JSON without values, tokens and names that were sent, and takes new tokens on a reload', async () => {
  const files = { tokens: `${OLD}\n` };
  const server = await startServer('token_file: tokens\nlog: debug\n', { environment: { SCORE_BATCH_LOG: 'json' }, files });
  const ask = async (token: string, model = 'iris', id = 'order-17'): Promise<number> => {
    const headers = { authorization: `Bearer ${token}`, 'x-request-id': id };
    const body = JSON.stringify({ rows: [ROW] });
    const { status } = await fetch(`${server.url}/v1/models/${model}/predict`, { method: 'POST', headers, body });
    return status;
  };
  expect(await ask(OLD)).toBe(200);
  expect(await ask(NEW)).toBe(401);
  expect(await ask(OLD, 'jo@example.com')).toBe(404);
  await writeFile(path.join(server.folder, 'tokens'), `${NEW}\n`);
  server.signal('SIGHUP');
  await server.says(/reloaded; listening on /);
  expect(await ask(NEW, 'iris', 'order-18')).toBe(200);
  await server.says(/order-18/);
  server.signal('SIGTERM');
  const { code, stderr } = await server.ended;
  expect(code).toBe(0);
  const lines = stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toContainEqual(
    expect.objectContaining({ level: 'info', event: 'listening', http: server.url, processes: 1, grpc: null }),
  );
  const requests = lines.filter(({ request_id }) => request_id !== undefined);
  expect(requests.map(({ level, route, status, request_id }) => [level, route, status, request_id])).toEqual([
    ['debug', '/v1/models/:name/predict', 200, 'order-17'],
    ['debug', '/v1/models/:name/predict', 401, 'order-17'],
    ['debug', '/v1/models/:name/predict', 404, 'order-17'],
    ['debug', '/v1/models/:name/predict', 200, 'order-18'],
  ]);
  for (const secret of [OLD, NEW, '5.13579', '98.7654', 'jo@example.com']) expect(stderr).not.toContain(secret);
}, 60_000);

import { once } from 'node:events';
import { createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { listenHttp } from '../../../src/serve/http/listener.ts';
import { buildHttp } from '../../../src/serve/http/server.ts';
import type { Observation } from '../../../src/serve/service.ts';
import { loaded } from '../score/loaded.ts';
import { IRIS, settingsOf } from '../served.ts';
import { stubService } from '../stub-service.ts';
import { bodyOf } from './v2-client.ts';

const ROWS = 2000;
const CONNECTIONS = 4;
const PIPELINED = 400;

it('does not work ahead of a client that does not read, and ends its connection', async () => {
  const model = await loaded(IRIS, { limits: { rows: ROWS } });
  const { service, observed } = stubService(model, { limits: { requestMs: 3000, headMs: 3000 } });
  const listener = await listenHttp(await buildHttp(service), settingsOf([], { limits: { requestMs: 3000, headMs: 3000 } }));
  onTestFinished(() => listener.end(0));
  const { hostname, port } = new URL(listener.address);
  const tensor = { name: 'measurements', datatype: 'FP32', shape: [ROWS, 4] };
  const values = Float32Array.from({ length: ROWS * 4 }, (_, at) => [5.1, 3.5, 1.4, 0.2][at % 4] as number);
  const { body, headers } = bodyOf([{ ...tensor, bytes: Buffer.from(values.buffer) }]);
  const lines = Object.entries({ host: 'localhost', 'content-length': body.length, ...headers }).map(
    ([key, value]) => `${key}: ${value}\r\n`,
  );
  const request = Buffer.concat([Buffer.from(`POST /v2/models/iris/infer HTTP/1.1\r\n${lines.join('')}\r\n`), body]);

  const ask = () => fetch(`${listener.address}/v2/models/iris/infer`, { method: 'POST', headers, body: new Uint8Array(body) });
  const answer = Buffer.from(await (await ask()).arrayBuffer()).length;
  expect(answer).toBeGreaterThan(100_000);
  observed.length = 0;
  const before = process.memoryUsage().rss;
  const closed = Array.from({ length: CONNECTIONS }, async () => {
    const socket = createConnection(Number(port), hostname).on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    // Nobody listens for what comes, so it stays where it is.
    for (let at = 0; at < PIPELINED; at += 1) socket.write(request);
    await sleep(1000);
    return await new Promise<boolean>((resolve) => {
      const write = setInterval(() => socket.write(Buffer.alloc(0)), 100);
      socket.once('close', () => {
        clearInterval(write);
        resolve(true);
      });
    });
  });
  await sleep(2500);
  const unread: readonly Observation[] = [...observed];
  // What fits into the buffers of the system, and what is then on its way.
  expect(unread.length).toBeLessThan((CONNECTIONS * PIPELINED) / 4);
  expect(process.memoryUsage().rss - before).toBeLessThan(150 * 2 ** 20);
  expect((await ask()).status).toBe(200);
  expect(await Promise.all(closed)).toEqual(Array(CONNECTIONS).fill(true));
});

import { once } from 'node:events';
import { createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { listenHttp } from '../../../src/serve/http/listener.ts';
import { buildHttp } from '../../../src/serve/http/server.ts';
import { loaded } from '../score/loaded.ts';
import { IRIS, served, settingsOf } from '../served.ts';
import { stubService } from '../stub-service.ts';
import { bodyOf } from './v2-client.ts';

const ROWS = 2000;
const PIPELINED = 800;
/** Answers that are on their way or wait in the buffers of the system, which has room for some 40 MiB of a connection. */
const UNDER_WAY = 500;

/** A request as it goes over the connection. */
function textOf(line: string, headers: Readonly<Record<string, string>>, body: Buffer): Buffer {
  const fields = { host: 'localhost', 'content-length': String(body.length), ...headers };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${line} HTTP/1.1\r\n${lines.join('')}\r\n`), body]);
}

it('does not work ahead of a client that does not read, and ends its connection', async () => {
  const model = await loaded(IRIS, { limits: { rows: ROWS } });
  const limits = { requestMs: 3000, headMs: 3000 };
  const { service, observed } = stubService(model, { limits });
  const listener = await listenHttp(await buildHttp(service), settingsOf([], { limits }));
  onTestFinished(() => listener.end(0));
  const { hostname, port } = new URL(listener.address);
  const values = Float32Array.from({ length: ROWS * 4 }, (_, at) => [5.1, 3.5, 1.4, 0.2][at % 4] as number);
  const tensor = { name: 'measurements', datatype: 'FP32', shape: [ROWS, 4], bytes: Buffer.from(values.buffer) };
  const { body, headers } = bodyOf([tensor]);
  const ask = () => fetch(`${listener.address}/v2/models/iris/infer`, { method: 'POST', headers, body: new Uint8Array(body) });
  const { length } = await (await ask()).text();
  expect(length).toBeGreaterThan(120_000);

  const before = process.memoryUsage().rss;
  const socket = createConnection(Number(port), hostname).on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  // Nobody listens for what comes, so it stays where it is.
  for (let at = 0; at < PIPELINED; at += 1) socket.write(textOf('POST /v2/models/iris/infer', headers, body));
  let most = 0;
  while (!socket.closed) {
    most = Math.max(most, process.memoryUsage().rss);
    expect((await ask()).status).toBe(200);
    observed.pop();
    await sleep(100);
  }
  expect(observed.length).toBeGreaterThan(10);
  expect(observed.length).toBeLessThan(UNDER_WAY);
  expect(most - before).toBeLessThan(150 * 2 ** 20);
}, 60_000);

it('ends a connection with more requests at once than it takes of one', async () => {
  const { addresses } = await served([IRIS], { limits: { streams: 10 } });
  const { hostname, port } = new URL(addresses.http);
  const request = textOf('GET /v2/models/iris', {}, Buffer.alloc(0));
  const answersTo = async (count: number): Promise<number> => {
    const socket = createConnection(Number(port), hostname).on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
    let text = '';
    socket.on('data', (part) => {
      text += String(part);
    });
    socket.write(Buffer.concat(Array.from({ length: count }, () => request)));
    await Promise.race([new Promise((resolve) => socket.once('close', resolve)), sleep(1000)]);
    return text.split('HTTP/1.1 200 OK').length - 1;
  };
  expect(await answersTo(10)).toBe(10);
  expect(await answersTo(500)).toBeLessThan(11);
  // One after the other there is no limit.
  for (let at = 0; at < 30; at += 1) expect((await fetch(`${addresses.http}/v2/models/iris`)).status).toBe(200);
});

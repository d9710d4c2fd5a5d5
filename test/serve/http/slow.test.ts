import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { IRIS, served } from '../served.ts';

/** A connection and all that came over it. */
function connect(url: string): { readonly socket: Socket; readonly closed: Promise<unknown>; answer(): string } {
  const { hostname, port } = new URL(url);
  const socket = createConnection(Number(port), hostname);
  let answer = '';
  socket.on('data', (part) => {
    answer += String(part);
  });
  // A server that has had enough may reset the connection.
  socket.on('error', () => undefined);
  return { socket, closed: once(socket, 'close'), answer: () => answer };
}

it('ends connections that send their head or body slowly, or nothing, and answers others meanwhile', async () => {
  const { addresses } = await served([IRIS], { limits: { headMs: 500, requestMs: 1000 } });
  const began = performance.now();
  const silent = connect(addresses.http);
  const head = connect(addresses.http);
  const body = connect(addresses.http);
  head.socket.write('POST /v1/models/iris/predict HTTP/1.1\r\nhost: localhost\r\n');
  body.socket.write('POST /v1/models/iris/predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n');
  const drops = setInterval(() => {
    if (head.socket.writable) head.socket.write('x-a: b\r\n');
    if (body.socket.writable) body.socket.write(' ');
  }, 50);
  expect((await fetch(`${addresses.http}/v2/health/ready`)).status).toBe(200);
  await Promise.all([silent.closed, head.closed, body.closed]);
  clearInterval(drops);
  // Node looks once a second.
  expect(performance.now() - began).toBeLessThan(5000);
  for (const { answer } of [head, body]) {
    expect(answer()).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    expect(answer()).toContain('\r\n\r\n{"error":"the request did not arrive in time"}');
  }
});

it('refuses a head beyond 16 KiB, what is not HTTP, and more connections than it takes', async () => {
  const { addresses } = await served([IRIS], { limits: { connections: 3 } });
  const flood = connect(addresses.http);
  flood.socket.write(`GET /v2 HTTP/1.1\r\nhost: localhost\r\n${'x-a: 0123456789\r\n'.repeat(2000)}\r\n`);
  await flood.closed;
  expect(flood.answer()).toMatch(/^HTTP\/1\.1 431 /);
  const noise = connect(addresses.http);
  noise.socket.write('\u0016\u0003\u0001\r\n\r\n');
  await noise.closed;
  expect(noise.answer()).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*\{"error":"this is not an HTTP request"\}$/);
  const smuggled = connect(addresses.http);
  smuggled.socket.write(
    'POST /v2 HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  );
  await smuggled.closed;
  expect(smuggled.answer()).toMatch(/^HTTP\/1\.1 400 /);

  const open = [1, 2, 3].map(() => connect(addresses.http));
  await Promise.all(open.map(({ socket }) => once(socket, 'connect')));
  await sleep(100);
  const more = connect(addresses.http);
  await more.closed;
  expect(more.answer()).toBe('');
  open[0]?.socket.destroy();
  await sleep(100);
  expect((await fetch(`${addresses.http}/v2/health/live`)).status).toBe(200);
  for (const { socket } of open) socket.destroy();
});

import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { type Request, send } from '../../src/registry/request.ts';
import type { TrackingServer } from '../../src/registry/server.ts';

const GET = { method: 'GET', path: '/x', repeatable: false } as const;

async function server(listener: RequestListener): Promise<TrackingServer> {
  const made = createServer(listener);
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    made.closeAllConnections();
    made.close();
  });
  const base = `http://127.0.0.1:${(made.address() as AddressInfo).port}`;
  return { base, headers: {}, timeoutMs: 60_000, signal: new AbortController().signal };
}

async function text(body: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts).toString();
}

/** Lets Node's `fetch` end what takes longer than a moment, as it ends what takes longer than 300 s. */
async function shortFetch(): Promise<void> {
  const key = Symbol.for('undici.globalDispatcher.1');
  const all = globalThis as unknown as Record<symbol, { constructor: new (limits: object) => never }>;
  // It is made by the first call.
  await fetch('data:,').catch(() => undefined);
  const before = all[key];
  if (before === undefined) throw new Error('this Node has another fetch');
  all[key] = new before.constructor({ headersTimeout: 1, bodyTimeout: 1 });
  onTestFinished(() => {
    all[key] = before;
  });
}

it("only the registry's own timeout ends an answer or an upload: the limits of Node's fetch do not apply", async () => {
  await shortFetch();
  const slow = await server(async (request, response) => {
    await sleep(2000);
    request.resume();
    response.write('a');
    await sleep(2000);
    response.end('b');
  });
  const sent = async (request: Request): Promise<unknown> => {
    const { status, body, end } = await send(slow, request);
    const read = await text(body);
    end();
    return [status, read];
  };
  const [limited, ...own] = await Promise.allSettled([
    fetch(`${slow.base}/x`),
    sent(GET),
    sent({ ...GET, method: 'PUT', body: new Uint8Array(20e6) }),
  ]);
  // That these limits would end it is seen.
  expect(limited).toMatchObject({ status: 'rejected', reason: { cause: { code: 'UND_ERR_HEADERS_TIMEOUT' } } });
  expect(own).toMatchObject([{ value: [200, 'ab'] }, { value: [200, 'ab'] }]);
});

it('a body that does not come in time, or is not waited for, ends with the reason, and its connection with it', async () => {
  const closed: Promise<unknown>[] = [];
  const stuck = await server((_, response) => {
    closed.push(once(response, 'close'));
    response.write('a');
  });
  const late = await send({ ...stuck, timeoutMs: 300 }, GET);
  await expect(text(late.body)).rejects.toMatchObject({
    ...{ kind: 'unavailable', registryDown: true },
    message: expect.stringContaining('did not answer within 0.3 s'),
  });
  late.end();
  const controller = new AbortController();
  const stopped = await send({ ...stuck, signal: controller.signal }, GET);
  const reason = new Error('stopped by somebody');
  controller.abort(reason);
  await expect(text(stopped.body)).rejects.toBe(reason);
  stopped.end();
  const unread = await send(stuck, GET);
  unread.end();
  await Promise.all(closed);
});

it('an upload that is refused before it has arrived is not sent to its end', async () => {
  const uploads: IncomingMessage[] = [];
  const full = await server((request, response) => {
    uploads.push(request);
    response.writeHead(413).write('a');
  });
  const { status, end } = await send(full, { ...GET, method: 'PUT', body: new Uint8Array(50e6) });
  expect(status).toBe(413);
  end();
  const [upload] = uploads;
  upload?.resume();
  await expect(once(upload as IncomingMessage, 'end')).rejects.toThrow('aborted');
});

it('a redirect is not followed: no other host gets a request, and no credentials', async () => {
  const asked: unknown[] = [];
  const other = await server(({ headers }, response) => {
    asked.push(headers);
    response.end();
  });
  for (const status of [301, 302, 303, 307, 308]) {
    const { base, ...rest } = await server((_, response) => response.writeHead(status, { location: `${other.base}/y` }).end());
    await expect(send({ base, ...rest, headers: { authorization: 'Bearer t' } }, GET)).rejects.toMatchObject({
      kind: 'configuration',
      message: expect.stringContaining(`redirects to ${other.base}; redirects are not followed`),
    });
  }
  expect(asked).toEqual([]);
});

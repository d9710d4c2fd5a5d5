import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';

/** A connection that breaks once: before the request arrives, or after it was answered and before the answer is back. */
export interface Fault {
  readonly lost: 'request' | 'answer';
  /** The first request whose address or body matches. */
  readonly when: RegExp;
}

export interface FaultyProxy {
  readonly url: string;
  /** Whether the fault has happened. */
  readonly broke: () => boolean;
}

/** An HTTP proxy in front of a server that drops one connection; it ends with the test. */
export async function faultyProxy(target: string, { lost, when }: Fault): Promise<FaultyProxy> {
  let broke = false;
  const url = await httpProxy(target, async (text, request, forward) => {
    const faulty = !broke && when.test(text);
    if (faulty) broke = true;
    if (!faulty || lost === 'answer') await forward(!faulty);
    if (faulty) request.socket.destroy();
  });
  return { url, broke: () => broke };
}

export interface HoldingProxy {
  readonly url: string;
  /** Settles once the request is there that is held. */
  readonly reached: Promise<void>;
  release(): void;
}

/** An HTTP proxy that holds the first request that matches, until it is released; it ends with the test. */
export async function holdingProxy(target: string, when: RegExp): Promise<HoldingProxy> {
  const [reached, reach] = signal();
  const [released, release] = signal();
  let held = false;
  const url = await httpProxy(target, async (text, _request, forward) => {
    if (!held && when.test(text)) {
      held = true;
      reach();
      await released;
    }
    await forward(true);
  });
  return { url, reached, release };
}

function signal(): [settled: Promise<void>, settle: () => void] {
  let settle: () => void = () => undefined;
  const settled = new Promise<void>((resolve) => {
    settle = resolve;
  });
  return [settled, settle];
}

/**
 * @param handle gets what was asked, and forwards it or not; `answer` says whether the answer goes back
 * @returns the proxy's URL
 */
async function httpProxy(
  target: string,
  handle: (text: string, request: http.IncomingMessage, forward: (answer: boolean) => Promise<void>) => Promise<void>,
): Promise<string> {
  const server = http.createServer(async (request, response) => {
    const body = await buffer(request);
    const text = `${request.method} ${request.url}\n${readable(body, request.headers['content-encoding'])}`;
    const { method, url: path, headers } = request;
    const forward = (answer: boolean) =>
      new Promise<void>((resolve) => {
        const options = { method, headers: { ...headers, host: new URL(target).host } };
        const forwarded = http.request(new URL(path ?? '/', target), options);
        forwarded.once('error', () => {
          request.socket.destroy();
          resolve();
        });
        forwarded.once('response', async (answered) => {
          const data = await buffer(answered);
          if (answer) response.writeHead(answered.statusCode ?? 500, answered.headers).end(data);
          resolve();
        });
        forwarded.end(body);
      });
    await handle(text, request, forward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A TCP proxy that cuts its first connection once so many bytes came back; it ends with the test. */
export async function cuttingProxy(target: string, afterBytes: number): Promise<FaultyProxy> {
  const [host = '', port = ''] = target.split(':');
  let broke = false;
  const sockets = new Set<net.Socket>();
  const server = net.createServer((client) => {
    const upstream = net.connect(Number(port), host);
    let received = 0;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream);
    upstream.on('data', (data) => {
      received += data.length;
      if (!broke && received > afterBytes) {
        broke = true;
        client.destroy();
      } else client.write(data);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { url: `127.0.0.1:${(server.address() as AddressInfo).port}`, broke: () => broke };
}

function readable(body: Buffer, encoding: string | undefined): string {
  return (encoding === 'gzip' ? gunzipSync(body) : body).toString('utf8');
}

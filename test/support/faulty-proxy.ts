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
  const server = http.createServer(async (request, response) => {
    const body = await buffer(request);
    const text = `${request.method} ${request.url}\n${readable(body, request.headers['content-encoding'])}`;
    const faulty = !broke && when.test(text);
    if (faulty) broke = true;
    if (faulty && lost === 'request') return void request.socket.destroy();
    const { method, url: path, headers } = request;
    const forwarded = http.request(new URL(path ?? '/', target), {
      method,
      headers: { ...headers, host: new URL(target).host },
    });
    forwarded.once('error', () => request.socket.destroy());
    forwarded.once('response', async (answer) => {
      const data = await buffer(answer);
      if (faulty) return void request.socket.destroy();
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      response.end(data);
    });
    forwarded.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, broke: () => broke };
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

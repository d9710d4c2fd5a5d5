import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ScoreBatchError, systemCode } from '../../errors.ts';
import type { Metrics } from './metrics.ts';

/** Answers `/metrics` and the probes `/healthz` and `/readyz`. Read-only. */
export interface MetricsServer {
  /** `http://127.0.0.1:9464` */
  readonly address: string;
  close(): Promise<void>;
}

interface Answers {
  readonly metrics: Metrics;
  readonly ready: () => boolean;
}

/** @throws ScoreBatchError `unavailable` if the port is taken */
export async function listen(
  where: { readonly host: string; readonly port: number },
  answers: Answers,
): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?', 1)[0];
    request.resume();
    if (request.method !== 'GET' && request.method !== 'HEAD') return send(response, 405, 'only GET is allowed');
    void answer(path, response, answers);
  });
  server.keepAliveTimeout = 5000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(refused(where, cause)));
    server.listen(where.port, where.host, resolve);
  });
  server.on('error', () => undefined);
  return {
    address: addressOf(server),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(path: string | undefined, response: ServerResponse, { metrics, ready }: Answers): Promise<void> {
  if (path === '/healthz') return send(response, 200, 'ok');
  if (path === '/readyz') return ready() ? send(response, 200, 'ready') : send(response, 503, 'not ready');
  if (path !== '/metrics') return send(response, 404, 'use /metrics, /healthz or /readyz');
  try {
    const { contentType, text } = await metrics.text();
    send(response, 200, text, contentType);
  } catch {
    send(response, 500, 'metrics failed');
  }
}

function send(response: ServerResponse, status: number, text: string, contentType = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  response.end(text.endsWith('\n') ? text : `${text}\n`);
}

function addressOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

function refused({ host, port }: { readonly host: string; readonly port: number }, cause: unknown): ScoreBatchError {
  const why = systemCode(cause) === 'EADDRINUSE' ? 'another process listens there' : (systemCode(cause) ?? 'unknown error');
  return new ScoreBatchError('unavailable', `port ${port} of ${host} cannot be used for metrics: ${why}`, {
    hint: 'choose another metrics.port in the stream job file; 0 lets the system choose',
    cause,
  });
}

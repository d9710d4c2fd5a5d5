import { once } from 'node:events';
import { type AddressInfo, Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { limitConnections } from '../connection-limit.ts';
import type { ServeSettings } from '../settings.ts';
import { cannotListen } from './port.ts';

/** An HTTP server that listens. */
export interface HttpListener {
  /** `http://127.0.0.1:8080` */
  readonly address: string;
  /** Accepts no further connections; open ones stay, even idle ones. */
  stopAccepting(): void;
  /** Resolves once the server no longer listens and its last connection is closed. */
  readonly closed: Promise<unknown>;
  /** Closes connections as they become idle, and after `ms` all of them. */
  end(ms: number): Promise<void>;
}

/** How often an ending server checks for idle connections. */
const IDLE_MS = 200;

/** @throws ScoreBatchError `unavailable` if the port is taken */
export async function listenHttp(app: FastifyInstance, settings: ServeSettings): Promise<HttpListener> {
  const { host, port, limits, tls } = settings;
  const { server } = app;
  await app.ready();
  limitConnections(server, limits.connections);
  server.listen({ host, port });
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw cannotListen('HTTP', { host, port }, cause);
  }
  const bound = server.address() as AddressInfo;
  const shown = host.includes(':') ? `[${host}]` : host;
  const closed = once(server, 'close');
  return {
    address: `${tls === undefined ? 'http' : 'https'}://${shown}:${bound.port}`,
    stopAccepting() {
      // close() of an HTTP server would also close idle connections, and stop watching for slow requests.
      if (server.listening) Server.prototype.close.call(server);
    },
    closed,
    async end(ms) {
      const timer = setInterval(() => server.closeIdleConnections(), IDLE_MS);
      server.closeIdleConnections();
      await Promise.race([closed, sleep(ms, undefined, { ref: false })]);
      clearInterval(timer);
      server.closeAllConnections();
      await app.close();
    },
  };
}

import { isIP } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ServeFailure } from '../failure.ts';
import { isLoopback } from '../loopback.ts';
import type { ServeSettings } from '../settings.ts';
import { isAuthorized } from '../tokens.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route needs no token. */
    open?: boolean;
  }
}

/**
 * Refuses requests before their body is read: by the host that they name, the page that sent them, and their token.
 *
 * A page of another site can make a browser send requests to this machine, and read the answers if it points its own name to
 * 127.0.0.1 (DNS rebinding). So `Host` is checked on loopback, where no other name is right, and wherever the settings name
 * hosts, and `Origin` everywhere.
 */
export function addGuard(app: FastifyInstance, settings: ServeSettings): void {
  const { host, hosts, tokens } = settings;
  const onLoopback = isLoopback(host);
  const origins = new Set(settings.origins);
  app.addHook('onRequest', (request, _, next) => {
    next(refusalOfHost(request) ?? refusalOfOrigin(request));
  });
  // After the CORS hooks, so that a page may read why it was refused; a preflight carries no token.
  if (tokens.length > 0) {
    app.addHook('preParsing', (request, reply, payload, next) => {
      const { authorization } = request.headers;
      if (request.routeOptions.config.open || isPreflight(request) || isAuthorized(authorization, tokens)) {
        next(null, payload);
        return;
      }
      // RFC 6750, section 3: no error code if there are no credentials.
      const error = authorization === undefined ? '' : ', error="invalid_token"';
      void reply.header('www-authenticate', `Bearer realm="score-batch"${error}`);
      next(new ServeFailure('unauthenticated', 'a bearer token is required', { hint: 'send `Authorization: Bearer …`' }));
    });
  }

  function refusalOfHost({ headers, routeOptions }: FastifyRequest): ServeFailure | undefined {
    // HTTP/1.0 has no Host, and no browser sends that.
    if ((!onLoopback && hosts.length === 0) || headers.host === undefined) return undefined;
    const name = headers.host.toLowerCase().replace(/:\d*$/, '');
    if (isLoopback(name) || hosts.includes(name)) return undefined;
    // Probes and scrapes use an address. Only a name can be pointed elsewhere.
    if (!onLoopback && (routeOptions.url?.startsWith('/v2/health/') || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0))
      return undefined;
    return new ServeFailure('forbidden', 'this server does not accept that host name', {
      hint: 'use localhost, or list the host under hosts in the settings file',
    });
  }

  function refusalOfOrigin({ headers }: FastifyRequest): ServeFailure | undefined {
    const { origin } = headers;
    if (origin === undefined || origins.has('*') || origins.has(origin)) return undefined;
    // A proxy may have terminated TLS, so ignore the scheme.
    if (headers.host !== undefined && origin.toLowerCase().replace(/^https?:\/\//, '') === headers.host.toLowerCase())
      return undefined;
    return new ServeFailure('forbidden', 'pages of that origin may not call this server', {
      hint: 'list the origin in --origins, or under origins in the settings file',
    });
  }
}

function isPreflight({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined;
}

import fastify, { type FastifyInstance } from 'fastify';
import { ServeFailure } from '../failure.ts';
import type { Service } from '../service.ts';
import type { ServeSettings } from '../settings.ts';
import { addCors } from './cors.ts';
import { failureOf, refuseConnection, sendFailure } from './errors.ts';
import { addGuard } from './guard.ts';
import { refuseOtherMethods } from './methods.ts';
import { addOpenApiRoutes } from './openapi.ts';
import { addPageRoutes } from './page.ts';
import { limitPipelined } from './pipelined.ts';
import { addPredictRoutes } from './predict.ts';
import { addRequestIds, requestIds } from './request-id.ts';
import { addV1Routes } from './v1.ts';
import { addV2Routes } from './v2.ts';

/** Most bytes of a request's head; also Node's default. */
const MAX_HEAD = 16_384;

/** Most characters of a model's name or version in an address, encoded. Fastify's limit of 100 is shorter than names may be. */
const MAX_NAME = 4096;

/** How often Node checks for requests that did not arrive in time. */
const CHECK_MS = 1000;

/** The HTTP server with all protocols, not listening yet. */
export async function buildHttp(service: Service): Promise<FastifyInstance> {
  const { settings } = service;
  const app = createApp(settings);
  // Clients of the Open Inference Protocol send any content type, or none.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => done(null, body));
  limitPipelined(app, settings.limits.streams);
  addRequestIds(app, service);
  app.addHook('onRequest', (_, reply, next) => {
    // Predictions must not be cached, and other sites must not frame anything here.
    void reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY' });
    next();
  });
  addGuard(app, settings);
  addCors(app, settings.origins);
  app.addHook('onSend', (_, reply, payload, next) => {
    if (service.draining()) void reply.header('connection', 'close');
    // The client must read the answer: Node ends a connection that is silent for this long.
    reply.raw.socket?.setTimeout(settings.limits.requestMs);
    next(null, payload);
  });
  const refuseOthers = refuseOtherMethods(app);
  app.setErrorHandler((error, request, reply) => {
    const failure = failureOf(error);
    if (failure.kind === 'internal') service.log.bug(failure.cause ?? failure, { request_id: request.id });
    sendFailure(failure, reply);
  });
  app.setNotFoundHandler((_, reply) => sendFailure(new ServeFailure('not found', 'there is nothing at this URL'), reply));
  addHealthRoutes(app, service);
  addV2Routes(app, service);
  addPredictRoutes(app, service);
  addV1Routes(app, service);
  addOpenApiRoutes(app, service);
  addPageRoutes(app, service);
  const { metrics } = service;
  if (metrics !== undefined) {
    app.get('/metrics', async (_, reply) => {
      const { contentType, text } = await metrics();
      return reply.type(contentType).send(text);
    });
  }
  refuseOthers();
  return app;
}

function createApp({ limits, tls }: ServeSettings): FastifyInstance {
  const timeouts = {
    maxHeaderSize: MAX_HEAD,
    headersTimeout: Math.min(limits.headMs, limits.requestMs),
    connectionsCheckingInterval: Math.min(CHECK_MS, limits.headMs),
  };
  const { certificate, key, clientCa } = tls ?? {};
  const options = {
    bodyLimit: limits.body,
    requestTimeout: limits.requestMs,
    trustProxy: false,
    logger: false,
    genReqId: requestIds(),
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: MAX_NAME },
    clientErrorHandler: refuseConnection,
    frameworkErrors: (error: unknown, _: unknown, reply: Parameters<typeof sendFailure>[1]) =>
      sendFailure(failureOf(error), reply),
  };
  if (certificate === undefined || key === undefined) return fastify({ ...options, http: timeouts }) as FastifyInstance;
  const asked = clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true };
  // The TLS handshake counts as the head of a request.
  const https = {
    ...timeouts,
    cert: certificate,
    key,
    minVersion: 'TLSv1.2',
    handshakeTimeout: limits.headMs,
    ...asked,
  } as const;
  return fastify({ ...options, https }) as unknown as FastifyInstance;
}

/** Probes need no token: anyone who can connect may know whether the server is up. */
function addHealthRoutes(app: FastifyInstance, service: Service): void {
  const options = { config: { open: true } };
  app.get('/v2/health/live', options, async () => ({ live: true }));
  app.get('/v2/health/ready', options, async (_, reply) => {
    const ready = service.ready();
    return reply.status(ready ? 200 : 503).send({ ready });
  });
}

import fastify, { type FastifyInstance } from 'fastify';
import { HTTP_STATUS, ServeFailure } from '../failure.ts';
import type { Service } from '../service.ts';
import { addOpenApiRoutes } from './openapi.ts';
import { addPredictRoutes } from './predict.ts';
import { addV1Routes } from './v1.ts';
import { addV2Routes } from './v2.ts';

/** The HTTP server with all protocols, not yet listening. */
export async function buildHttp(service: Service): Promise<FastifyInstance> {
  const { limits, tls } = service.settings;
  const app = fastify({
    bodyLimit: limits.body,
    ...(tls && { https: { cert: tls.certificate, key: tls.key } }),
  }) as FastifyInstance;
  // Clients of the Open Inference Protocol send any content type, or none.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => done(null, body));
  app.addHook('onSend', async (_, reply) => {
    if (service.draining()) reply.header('connection', 'close');
  });
  app.setErrorHandler((error, _, reply) => {
    const failure =
      error instanceof ServeFailure ? error : new ServeFailure('internal', 'the request failed', { cause: error });
    if (failure.retryAfter !== undefined) reply.header('retry-after', String(failure.retryAfter));
    const { message, hint, details } = failure;
    void reply
      .status(HTTP_STATUS[failure.kind])
      .send({ error: message, ...(hint && { hint }), ...(details.length > 0 && { details }) });
  });
  app.get('/v2/health/live', async () => ({ live: true }));
  app.get('/v2/health/ready', async (_, reply) => reply.status(service.ready() ? 200 : 503).send({ ready: service.ready() }));
  addV2Routes(app, service);
  addPredictRoutes(app, service);
  addV1Routes(app, service);
  addOpenApiRoutes(app, service);
  return app;
}

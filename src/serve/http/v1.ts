import type { FastifyInstance } from 'fastify';
import { predict } from '../predict/predict.ts';
import type { Service } from '../service.ts';
import { bodyReader } from './predict.ts';
import { whileOpen } from './while-open.ts';

/** KServe's V1 protocol: `POST /v1/models/NAME:predict`, `GET /v1/models`, `GET /v1/models/NAME`. */
export function addV1Routes(app: FastifyInstance, service: Service): void {
  type Route = { Params: { name: string } };
  // A name may contain colons, so the verb follows the last one.
  app.post<Route>('/v1/models/:name(^.+)::predict', async (request, reply) => {
    const { name } = request.params;
    const read = bodyReader(request, service.settings.limits.body);
    const answer = await predict(service, { protocol: 'v1', name, version: undefined, read, signal: whileOpen(reply) });
    return reply.type('application/json; charset=utf-8').send(answer);
  });
  app.get('/v1/models', async () => ({ models: [...new Set(service.models.list().map(({ name }) => name))] }));
  app.get<Route>('/v1/models/:name', async ({ params }, reply) => {
    const { name } = service.models.find(params.name);
    return reply.status(service.ready() ? 200 : 503).send({ name, ready: service.ready() });
  });
}

import type { FastifyInstance } from 'fastify';
import { ServeFailure } from '../failure.ts';
import { predict } from '../predict/predict.ts';
import type { Service } from '../service.ts';
import { whileOpen } from './predict.ts';

const VERB = ':predict';

/** KServe's V1 protocol: `POST /v1/models/NAME:predict`, `GET /v1/models`, `GET /v1/models/NAME`. */
export function addV1Routes(app: FastifyInstance, service: Service): void {
  type Route = { Params: { model: string } };
  // A name may have colons, so the verb is what stands after the last one.
  app.post<Route>('/v1/models/:model', async ({ params: { model }, body }, reply) => {
    if (!model.endsWith(VERB)) {
      throw new ServeFailure('not found', 'the V1 protocol has only :predict here', {
        hint: `POST /v1/models/${encodeURIComponent(model.split(':')[0] ?? '')}${VERB}`,
      });
    }
    const name = model.slice(0, -VERB.length);
    const answer = await predict(service, { protocol: 'v1', name, version: undefined, body, signal: whileOpen(reply) });
    return reply.type('application/json; charset=utf-8').send(answer);
  });
  app.get('/v1/models', async () => ({ models: [...new Set(service.models.list().map(({ name }) => name))] }));
  app.get<Route>('/v1/models/:model', async ({ params: { model } }, reply) => {
    const { name } = service.models.find(model);
    return reply.status(service.ready() ? 200 : 503).send({ name, ready: service.ready() });
  });
}

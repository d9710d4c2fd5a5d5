import type { FastifyInstance, FastifyReply } from 'fastify';
import { predict } from '../predict/predict.ts';
import type { Service } from '../service.ts';

const JSON_TYPE = 'application/json; charset=utf-8';

/** `POST /v1/models/NAME[/versions/V]/predict` with `{"rows": [{…}]}`. */
export function addPredictRoutes(app: FastifyInstance, service: Service): void {
  type Route = { Params: { name: string; version?: string } };
  for (const url of ['/v1/models/:name/predict', '/v1/models/:name/versions/:version/predict']) {
    app.post<Route>(url, async ({ params: { name, version }, body }, reply) => {
      const answer = await predict(service, { protocol: 'predict', name, version, body, signal: whileOpen(reply) });
      return reply.type(JSON_TYPE).send(answer);
    });
  }
}

/** Aborted once the client has closed the connection. */
export function whileOpen(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  // It is closed after an answer, too, when nobody listens to the signal any more.
  reply.raw.once('close', () => controller.abort());
  return controller.signal;
}

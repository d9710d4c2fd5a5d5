import type { FastifyInstance, FastifyRequest } from 'fastify';
import { predict } from '../predict/predict.ts';
import type { Service } from '../service.ts';
import { inflated } from './inflated.ts';
import { whileOpen } from './while-open.ts';

const JSON_TYPE = 'application/json; charset=utf-8';

/** `POST /v1/models/NAME[/versions/V]/predict` with `{"rows": [{…}]}`. */
export function addPredictRoutes(app: FastifyInstance, service: Service): void {
  type Route = { Params: { name: string; version?: string } };
  for (const url of ['/v1/models/:name/predict', '/v1/models/:name/versions/:version/predict']) {
    app.post<Route>(url, async (request, reply) => {
      const { name, version } = request.params;
      const read = bodyReader(request, service.settings.limits.body);
      const answer = await predict(service, { protocol: 'predict', name, version, read, signal: whileOpen(reply) });
      return reply.type(JSON_TYPE).send(answer);
    });
  }
}

/** Reads a body, decompressing it if the client says so. @param most bytes after decompression */
export function bodyReader({ body, headers }: FastifyRequest, most: number): () => unknown {
  const encoding = headers['content-encoding'];
  return () => (encoding === undefined ? body : inflated(body, encoding, most));
}

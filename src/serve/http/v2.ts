import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { infer } from '../oip/infer.ts';
import { modelMetadata, SERVER_METADATA } from '../oip/metadata.ts';
import type { Service } from '../service.ts';
import { inflated } from './inflated.ts';
import { binaryOutputs, writeAnswer } from './v2-answer.ts';
import { readRequest } from './v2-request.ts';
import { whileOpen } from './while-open.ts';

interface ModelRoute {
  readonly Params: { readonly name: string; readonly version?: string };
}

const JSON_LENGTH = 'inference-header-content-length';

/** The Open Inference Protocol v2 over REST, without `/v2/health`. */
export function addV2Routes(app: FastifyInstance, service: Service): void {
  const { models } = service;
  app.get('/v2', async () => SERVER_METADATA);
  for (const path of ['/v2/models/:name', '/v2/models/:name/versions/:version']) {
    app.get<ModelRoute>(path, async ({ params }) => modelMetadata(models.find(params.name, params.version), models));
    app.get<ModelRoute>(`${path}/ready`, async ({ params }, reply) => {
      const { name } = models.find(params.name, params.version);
      const ready = service.ready();
      return reply.status(ready ? 200 : 503).send({ name, ready });
    });
    app.post<ModelRoute>(`${path}/infer`, { onRequest: ignoreType }, (request, reply) => answer(service, request, reply));
  }
}

/** Other headers define the body, so any content type will do, even a malformed one. */
function ignoreType(request: FastifyRequest, _: FastifyReply, next: () => void): void {
  delete request.headers['content-type'];
  next();
}

async function answer(service: Service, request: FastifyRequest<ModelRoute>, reply: FastifyReply): Promise<FastifyReply> {
  const { name, version } = request.params;
  let isBinary = (_: string) => false;
  const answered = await infer(service, {
    protocol: 'rest',
    name,
    version,
    signal: whileOpen(reply),
    async read(model) {
      const body = await inflated(request.body, request.headers['content-encoding'], service.settings.limits.body);
      const read = readRequest(body, { model, jsonLength: request.headers[JSON_LENGTH]?.toString() });
      isBinary = binaryOutputs(read);
      return read;
    },
  });
  const { body, jsonLength } = writeAnswer(answered, isBinary);
  if (jsonLength !== undefined) reply.header(JSON_LENGTH, String(jsonLength));
  return reply.type(jsonLength === undefined ? 'application/json' : 'application/octet-stream').send(body);
}

import type { FastifyInstance } from 'fastify';
import { VERSION } from '../../versions.ts';
import type { OnlineModel } from '../online-model.ts';
import type { Schema } from '../predict/schemas.ts';
import type { Service } from '../service.ts';
import { ERROR_SCHEMA } from './openapi-answers.ts';
import { type Keyed, modelPaths, versionSchemas } from './openapi-models.ts';
import { serverPaths, V2_SCHEMAS, v2Paths } from './openapi-server.ts';

/** `GET /openapi.json`, generated from the loaded models. */
export function addOpenApiRoutes(app: FastifyInstance, service: Service): void {
  let made: { readonly of: readonly OnlineModel[]; readonly json: string } | undefined;
  app.get('/openapi.json', async (_, reply) => {
    const models = service.models.list();
    if (made === undefined || made.of.length !== models.length || made.of.some((one, i) => one !== models[i])) {
      made = { of: [...models], json: JSON.stringify(await openApi(service)) };
    }
    return reply.type('application/json; charset=utf-8').send(made.json);
  });
}

/** An OpenAPI 3.1 document: `predict` and V1 per model with exact schemas, other routes once. */
async function openApi({ models, settings, metrics }: Service): Promise<Schema> {
  const keyed = withKeys(models.list());
  const names = [...new Set(keyed.map(({ model }) => model.name))];
  const { text } = settings.limits;
  const security = securityOf(settings.tokens.length > 0, settings.tls?.clientCa !== undefined);
  const ofModels = await Promise.all(
    names.map((name) => modelPaths(keyed.filter(({ model }) => model.name === name) as [Keyed, ...Keyed[]])),
  );
  return {
    openapi: '3.1.0',
    info: {
      title: 'score-batch serve',
      version: VERSION,
      description: 'Predictions of models, computed as in their batch jobs.',
    },
    security: Object.keys(security).map((one) => ({ [one]: [] })),
    paths: Object.assign(
      {},
      ...ofModels,
      serverPaths(names, metrics !== undefined),
      v2Paths(
        names,
        keyed.map(({ model }) => model.version),
      ),
    ),
    components: {
      schemas: Object.assign({ Error: ERROR_SCHEMA }, V2_SCHEMAS, ...keyed.map((one) => versionSchemas(one, text))),
      ...(Object.keys(security).length > 0 && { securitySchemes: security }),
    },
  };
}

function securityOf(hasTokens: boolean, hasClientCertificates: boolean): Readonly<Record<string, Schema>> {
  return {
    ...(hasTokens && { token: { type: 'http', scheme: 'bearer' } }),
    ...(hasClientCertificates && { certificate: { type: 'mutualTLS' } }),
  };
}

/** Component keys may only have letters, digits, dots, hyphens and underscores. */
function withKeys(models: readonly OnlineModel[]): Keyed[] {
  const taken = new Set(['Error', ...Object.keys(V2_SCHEMAS)]);
  return models.map((model) => {
    const [name, version] = [model.name, model.version].map((text) => text.replace(/[^\w.-]/g, '_'));
    let key = `${name}`;
    for (let i = 1; taken.has(key); i += 1) key = i === 1 ? `${name}.${version}` : `${name}.${version}.${i}`;
    taken.add(key);
    return { model, key };
  });
}

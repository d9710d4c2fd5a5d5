import type { Schema } from '../predict/schemas.ts';
import { answer, failures, jsonContent, reference } from './openapi-answers.ts';

/** Routes that do not depend on the models. @param names of the models @param metrics whether there are metrics */
export function serverPaths(names: readonly string[], metrics: boolean): Schema {
  const name = parameter('name', names);
  const text = {
    200: { description: 'metrics in the text format of Prometheus', content: { 'text/plain': {} } },
    ...failures('anywhere'),
  };
  return {
    ...(metrics && { '/metrics': get('metrics', 'server', 'Metrics of all processes', text) }),
    '/openapi.json': get('openapi', 'server', 'This document', {
      200: answer('OpenAPI 3.1', { type: 'object' }),
      ...failures('anywhere'),
    }),
    '/v1/models': get('v1_models', 'KServe V1', 'Names of the models', {
      200: answer('names', object({ models: { type: 'array', items: { type: 'string' } } })),
      ...failures('anywhere'),
    }),
    '/v1/models/{name}': get('v1_model', 'KServe V1', 'Whether a model is ready', ready('models'), [name]),
    '/v2/health/live': get('live', 'health', 'Whether the process answers', {
      200: answer('it answers', object({ live: { type: 'boolean' } })),
      ...failures('anywhere'),
    }),
    '/v2/health/ready': get(
      'ready',
      'health',
      'Whether all models proved their golden rows, and the server is not shutting down',
      {
        200: answer('ready', object({ ready: { type: 'boolean' } })),
        ...failures('anywhere'),
        503: answer('not ready', object({ ready: { type: 'boolean' } })),
      },
    ),
  };
}

/** The Open Inference Protocol v2, the same for every model. Its specification and the metadata describe the tensors. */
export function v2Paths(names: readonly string[], versions: readonly string[]): Schema {
  const name = parameter('name', names);
  const version = parameter('version', versions);
  const metadata = {
    200: answer('inputs and outputs', { type: 'object', required: ['name', 'inputs', 'outputs'] }),
    ...failures('models'),
  };
  const tag = 'Open Inference Protocol v2';
  const entries = [
    { path: '/v2/models/{name}', id: '', parameters: [name] },
    { path: '/v2/models/{name}/versions/{version}', id: '_version', parameters: [name, version] },
  ].flatMap(({ path, id, parameters }) => [
    [path, get(`v2_model${id}`, tag, 'Metadata of a model', metadata, parameters)],
    [`${path}/ready`, get(`v2_ready${id}`, tag, 'Whether a model is ready', ready('models'), parameters)],
    [`${path}/infer`, { post: infer(`v2_infer${id}`, tag, parameters) }],
  ]);
  const server = { 200: answer('name, version and extensions', { type: 'object' }), ...failures('anywhere') };
  return { '/v2': get('v2_server', tag, 'Metadata of the server', server), ...Object.fromEntries(entries) };
}

export const V2_SCHEMAS: Readonly<Record<string, Schema>> = {
  InferRequest: {
    type: 'object',
    properties: {
      id: { type: 'string' },
      parameters: { type: 'object' },
      inputs: { type: 'array', minItems: 1, items: reference('Tensor') },
      outputs: {
        type: 'array',
        items: {
          type: 'object',
          properties: { name: { type: 'string' }, parameters: { type: 'object' } },
          required: ['name'],
        },
      },
    },
    required: ['inputs'],
  },
  InferAnswer: {
    type: 'object',
    properties: {
      model_name: { type: 'string' },
      model_version: { type: 'string' },
      id: { type: 'string' },
      outputs: { type: 'array', items: reference('Tensor') },
    },
    required: ['model_name', 'outputs'],
  },
  Tensor: {
    type: 'object',
    properties: {
      name: { type: 'string' },
      shape: { type: 'array', items: { type: 'integer', minimum: 0 } },
      datatype: { type: 'string' },
      parameters: { type: 'object' },
      data: { type: 'array', description: 'elements in row-major order, flat or nested' },
    },
    required: ['name', 'shape', 'datatype'],
  },
};

function infer(operationId: string, tag: string, parameters: readonly Schema[]): Schema {
  return {
    operationId,
    tags: [tag],
    summary: 'Predictions for tensors',
    description: 'One tensor `[n]` or `[n, 1]` per feature, or `[n, F]` for an input of the ONNX file.',
    parameters,
    requestBody: { required: true, content: jsonContent(reference('InferRequest')) },
    responses: { 200: answer('the outputs', reference('InferAnswer')), ...failures('rows') },
  };
}

function get(operationId: string, tag: string, summary: string, responses: Schema, parameters: readonly Schema[] = []): Schema {
  return { get: { operationId, tags: [tag], summary, ...(parameters.length > 0 && { parameters }), responses } };
}

function ready(kind: 'models'): Schema {
  const schema = object({ name: { type: 'string' }, ready: { type: 'boolean' } });
  return { 200: answer('ready', schema), ...failures(kind), 503: answer('not ready', schema) };
}

function object(properties: Readonly<Record<string, Schema>>): Schema {
  return { type: 'object', properties, required: Object.keys(properties) };
}

function parameter(name: string, values: readonly string[]): Schema {
  return { name, in: 'path', required: true, schema: { type: 'string', enum: [...new Set(values)] } };
}

import type { OnlineModel } from '../online-model.ts';
import { type ExampleRow, exampleRows } from '../predict/examples.ts';
import {
  anyRowSchema,
  predictionSchema,
  rejectedSchema,
  requestSchema,
  rowSchema,
  type Schema,
  v1PredictionSchema,
} from '../predict/schemas.ts';
import { answer, failures, jsonContent, reference } from './openapi-answers.ts';

/** Rows in an example. */
const SHOWN = 2;

/** A version of a model, and the name of its schemas in the document. */
export interface Keyed {
  readonly model: OnlineModel;
  readonly key: string;
}

/** The schemas of one version. */
export function versionSchemas({ model, key }: Keyed, text: number): Schema {
  return {
    [`${key}.Row`]: rowSchema(model, text),
    [`${key}.AnyRow`]: anyRowSchema(model, text),
    [`${key}.Answer`]: answerSchema(model),
  };
}

/**
 * `predict` of all versions of one name, and V1.
 *
 * @param versions the default one first; requests without a version may also reach others
 */
export async function modelPaths(versions: readonly [Keyed, ...Keyed[]]): Promise<Schema> {
  const [first] = versions;
  const { name } = first.model;
  const path = `/v1/models/${encodeURIComponent(name)}`;
  const answers = versions.map(({ key }) => reference(`${key}.Answer`));
  const paths: Record<string, unknown> = {
    [`${path}/predict`]: await operation(first, {
      id: `predict_${first.key}`,
      summary: `Predictions of ${name}, one per row`,
      schema: answers.length === 1 ? (answers[0] as Schema) : { anyOf: answers },
    }),
  };
  for (const one of versions) {
    paths[`${path}/versions/${encodeURIComponent(one.model.version)}/predict`] = await operation(one, {
      id: `predict_version_${one.key}`,
      summary: `Predictions of ${name} ${one.model.version}, one per row`,
      schema: reference(`${one.key}.Answer`),
    });
  }
  paths[`${path}:predict`] = await v1Operation(first, versions);
  return paths;
}

async function operation(
  { model, key }: Keyed,
  { id, summary, schema }: { readonly id: string; readonly summary: string; readonly schema: Schema },
): Promise<Schema> {
  const { description } = model.bundle.definition;
  const rows = requestSchema(model, 'rows', [reference(`${key}.Row`), reference(`${key}.AnyRow`)]);
  return {
    post: {
      operationId: id,
      tags: ['predict'],
      summary,
      ...(description !== undefined && { description }),
      requestBody: body(rows, 'rows', await exampleRows(model)),
      responses: { 200: answer('one prediction per row, in the order of the rows', schema), ...failures('rows') },
    },
  };
}

async function v1Operation({ model, key }: Keyed, versions: readonly Keyed[]): Promise<Schema> {
  const items = { anyOf: versions.map((one) => v1PredictionSchema(one.model)) };
  return {
    post: {
      operationId: `v1_predict_${key}`,
      tags: ['KServe V1'],
      summary: `Predictions of ${model.name} in the V1 protocol of KServe`,
      description:
        'A row may also be a list of values in the order of the features. If one row cannot be scored, the request fails with the reasons.',
      requestBody: body(requestSchema(model, 'instances', [reference(`${key}.Row`)]), 'instances', await exampleRows(model)),
      responses: {
        200: answer('one prediction per row, in the order of the rows', {
          type: 'object',
          properties: { predictions: { type: 'array', items } },
          required: ['predictions'],
          additionalProperties: false,
        }),
        ...failures('rows'),
      },
    },
  };
}

function body(schema: Schema, key: string, examples: readonly ExampleRow[]): Schema {
  const example = examples.length === 0 ? undefined : { [key]: examples.slice(0, SHOWN) };
  return { required: true, content: jsonContent(schema, example) };
}

function answerSchema(model: OnlineModel): Schema {
  const { name, version, digest } = model;
  return {
    type: 'object',
    properties: {
      model: {
        type: 'object',
        properties: {
          name: { type: 'string', const: name },
          version: { type: 'string', const: version },
          digest: { type: 'string', const: digest, description: 'SHA-256 of the model file' },
        },
        required: ['name', 'version', 'digest'],
        additionalProperties: false,
      },
      predictions: { type: 'array', items: { oneOf: [predictionSchema(model), rejectedSchema(model)] } },
    },
    required: ['model', 'predictions'],
    additionalProperties: false,
  };
}

import { z } from 'zod';
import { count, digest, type Made, model, text } from './fields.ts';

export const pushOutput = z.strictObject({
  name: text.describe('of the registered model'),
  version: text.describe('of the registered model'),
  uri: text.describe('models:/NAME/VERSION, as a job file can name it'),
  digest: digest.describe('of all files of the bundle; see docs/model-registry.md'),
  model,
  created: z.boolean().describe('false if the registry had a version with the same files'),
  run_id: text.nullable().describe('run of MLflow that the artifacts belong to; null if no version was created'),
  alias: z
    .strictObject({ name: text, from: text.nullable().describe('version that it pointed to before') })
    .nullable()
    .describe('null without --alias'),
});

export type PushOutput = Made<typeof pushOutput>;

export const modelInitOutput = z.strictObject({
  from: text.describe('version of the registered model, or folder'),
  folder: text,
  digest: digest.describe('of model.onnx'),
  bundle: z.boolean().describe('whether the artifacts were a bundle, which was copied unchanged'),
  columns_named: count.describe('columns whose names come from the signature'),
});

export type ModelInitOutput = Made<typeof modelInitOutput>;

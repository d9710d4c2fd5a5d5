import { z } from 'zod';
import { INPUT_DTYPES } from '../domain/signature.ts';
import { count, digest, execution, type Made, text } from './fields.ts';

const tensor = z.strictObject({
  name: text,
  dtype: text.optional().describe('absent if the value is not a tensor'),
  shape: z.array(z.union([z.number(), text])).describe('numbers for fixed dimensions, names for the others'),
});

const placement = z.strictObject({
  provider: text,
  nodes: count.optional(),
  copies: count.optional().describe('copies between the device and memory that nodes on cpu cause'),
  on_cpu: z
    .array(z.strictObject({ name: text, operator: text }))
    .optional()
    .describe('nodes that the provider leaves to cpu'),
  why: text.optional().describe('why the model did not run'),
});

const file = z.strictObject({
  producer: text,
  opsets: z.record(text, z.int()),
  metadata: z.record(text, text),
  inputs: z.array(tensor),
  outputs: z.array(tensor),
});

const zipmaps = z
  .array(z.strictObject({ output: text, tensor: text, classes: z.array(text).optional() }))
  .describe('outputs that are lists of maps, which cannot be scored');

const scalar = z.union([z.number(), text, z.boolean()]);

const feature = z.strictObject({
  name: text,
  nullable: z.boolean(),
  default: scalar.optional(),
  range: z.tuple([z.number(), z.number()]).optional(),
  categories: z.array(text).optional(),
  unknown: z.enum(['quarantine', 'allow', 'default']),
});

const histogram = z.strictObject({ edges: z.array(z.number()), shares: z.array(z.number()) });

/** `model inspect` of a bundle. */
export const inspectOutput = z.strictObject({
  name: text,
  version: text,
  digest,
  description: text.nullable(),
  file,
  placement: z.array(placement),
  origin: z.strictObject({ sha256: digest, version: text, by: text }).nullable(),
  inputs: z.array(z.strictObject({ name: text, dtype: z.enum(INPUT_DTYPES), features: z.array(feature) })),
  output: z
    .strictObject({ name: text, index: count })
    .describe('where the score is; for a bundle with classes, where the probability of the first class is'),
  classes: z
    .strictObject({ label: text.optional(), probabilities: text, labels: z.array(text) })
    .optional()
    .describe('outputs of a bundle with classes, and their names in the order of the probabilities'),
  trained: z.record(text, z.unknown()).describe('as model.yaml says'),
  reference: z.strictObject({ score: histogram.nullable(), features: z.array(text) }),
  baseline: z.record(text, scalar).nullable(),
  zipmaps,
});

/** `model inspect` of a bare model file. */
export const inspectFileOutput = z.strictObject({
  digest,
  file,
  known: z.array(
    z.strictObject({
      input: text,
      position: count,
      texts: z.array(text).optional(),
      codes: z.array(z.number()),
      notes: z.array(text),
    }),
  ),
  zipmaps,
  placement: z.array(placement),
});

export type InspectOutput = Made<typeof inspectOutput> | Made<typeof inspectFileOutput>;

const difference = z.number().min(0);

export const verifyOutput = z.strictObject({
  name: text,
  version: text,
  digest,
  provider: text,
  execution,
  rows: count,
  largest_difference: difference,
  tolerance: z.number(),
  each_row_by_itself: z.strictObject({
    rows_alone: count,
    rows_among_others: count,
    largest_difference: difference,
    tolerance: z.number(),
  }),
});

export type VerifyOutput = Made<typeof verifyOutput>;

export const tensorizeOutput = z.strictObject({
  name: text,
  version: text,
  folder: text,
  digest,
  origin: digest.describe('of the original model'),
  trees: count,
  depth: count,
  compared: z.array(
    z.strictObject({
      provider: text,
      nodes: count.optional(),
      nodes_on_cpu: count.optional(),
      golden_rows: count,
      random_rows: count,
      rows_at_thresholds: count,
      largest_difference: difference,
      tolerance: z.number(),
    }),
  ),
});

export type TensorizeOutput = Made<typeof tensorizeOutput>;

export const dropZipMapOutput = z.strictObject({
  file: text,
  digest,
  outputs: z.array(z.strictObject({ dropped: text, output: text, classes: z.array(text).nullable() })),
  random_rows: count,
});

export type DropZipMapOutput = Made<typeof dropZipMapOutput>;

const writtenFile = z.strictObject({ file: text, written: z.boolean() });

const featureReference = z.union([
  histogram.extend({ nulls: z.number().optional() }),
  z.strictObject({ categories: z.record(text, z.number()), other: z.number().optional(), nulls: z.number().optional() }),
]);

export const referenceOutput = z.strictObject({
  rows: count,
  left_out: z.array(z.strictObject({ reason: text, feature: text.nullable(), rows: count })),
  sampled: count,
  expected: text.nullable().describe('column with the expected scores'),
  largest_difference: difference.nullable(),
  tolerance: z.number(),
  golden: writtenFile.extend({ rows: count }),
  baseline_file: writtenFile,
  model_yaml: text.nullable(),
  reference: z.strictObject({
    score: histogram.optional().describe('of a bundle with one score'),
    classes: z.record(text, histogram).optional().describe('of a bundle with classes, by label'),
    features: z.record(text, featureReference),
  }),
  baseline: z.record(text, scalar),
  baseline_rows: z.strictObject({ file: text, sha256: digest }).optional(),
});

export type ReferenceOutput = Made<typeof referenceOutput>;

import path from 'node:path';
import { z } from 'zod';
import type { FeatureReference } from '../domain/feature-drift.ts';
import { isPrintable } from '../domain/printable.ts';
import { INPUT_DTYPES } from '../domain/signature.ts';
import { outputSchema } from './output-schema.ts';

/** A bundle is untrusted, and its names go to terminals, logs and tables. */
const UNPRINTABLE = 'must not contain control characters';
const text = z.string().min(1).refine(isPrintable, UNPRINTABLE);
/** A path that stays inside the bundle, because a bundle is untrusted. */
const inside = text.refine(
  (file) => !path.isAbsolute(file) && !file.split(/[\\/]/).includes('..'),
  'write a path inside the bundle',
);
const scalar = z.union([z.number(), z.string(), z.boolean()]);

const hexDigest = (of: string) => z.string().regex(/^[0-9a-f]{64}$/, `the SHA-256 of ${of} in lower-case hex`);
const digest = hexDigest('model.onnx');

const column = z.strictObject({
  name: text,
  nullable: z.boolean().default(false),
  default: scalar.optional(),
  range: z
    .tuple([z.number(), z.number()])
    .refine(([low, high]) => low <= high, 'the range ends below its start')
    .optional(),
  // An empty string is a valid category.
  categories: z.array(z.string()).min(1, 'name at least one category').optional(),
  unknown: z.enum(['quarantine', 'allow', 'default']).default('quarantine'),
  reason: text.max(200).optional(),
});

const input = z.strictObject({
  name: text,
  dtype: z.enum(INPUT_DTYPES),
  shape: z.tuple([z.literal('N'), z.int().min(1)]),
  columns: z.array(column).min(1, 'name at least one column'),
});

const histogram = z
  .strictObject({ edges: z.array(z.number()), shares: z.array(z.number().min(0).max(1)) })
  .refine(({ edges, shares }) => shares.length === edges.length + 1, 'a histogram needs one more share than edges')
  .refine(
    ({ edges }) => edges.every((edge, i) => i === 0 || edge > (edges[i - 1] ?? edge)),
    'edges must be strictly increasing',
  )
  .refine(({ shares }) => Math.abs(shares.reduce((a, b) => a + b, 0) - 1) < 1e-3, 'shares must add up to 1');

const scoreHistogram = histogram.refine(
  ({ edges }) => edges.every((edge) => edge >= 0 && edge <= 1),
  'edges of a score must be between 0 and 1',
);

/** Each category is counted by its own expression, and statements have a maximum length. */
const MAX_CATEGORIES = 500;
const MAX_CATEGORY_CHARACTERS = 100_000;

const part = z.number().min(0).max(1);

/** A numeric feature's histogram, or the shares of the categories of a string or boolean feature, both over non-null values. */
const featureReference = z
  .strictObject({
    edges: z.array(z.number()).optional(),
    shares: z.array(part).optional(),
    categories: z.record(z.string(), part).optional(),
    other: part.default(0),
    nulls: part.default(0),
  })
  .transform(({ edges, shares, categories, other, nulls }, context): FeatureReference => {
    const refuse = (message: string): void => context.addIssue({ code: 'custom', message });
    if (categories === undefined) {
      const { data, error } = histogram.safeParse({ edges, shares });
      if (data !== undefined && other === 0) return { ...data, nulls };
      if (edges === undefined || shares === undefined) refuse('write edges and shares for a number, categories for a string');
      else for (const { message } of error?.issues ?? [{ message: 'other is for categories' }]) refuse(message);
      return z.NEVER;
    }
    const names = Object.keys(categories);
    const sum = Object.values(categories).reduce((a, b) => a + b, other);
    if (edges !== undefined || shares !== undefined) refuse('write either categories, or edges and shares');
    else if (names.length > MAX_CATEGORIES || names.join('').length > MAX_CATEGORY_CHARACTERS)
      refuse(
        `at most ${MAX_CATEGORIES} categories, with ${MAX_CATEGORY_CHARACTERS} characters in all; add the rest up as other`,
      );
    else if (Math.abs(sum - 1) >= 1e-3) refuse('the shares of categories and other must add up to 1');
    return { categories, other, nulls };
  });

/** `model.yaml` of a bundle; docs/model-bundle.md describes the format. */
export const bundleSchema = z.strictObject({
  name: text,
  version: z.string({ error: 'write the version in quotes: "1.10"' }).min(1).refine(isPrintable, UNPRINTABLE),
  sha256: digest,
  origin: z.strictObject({ sha256: digest, version: text, by: text }).optional(),
  description: z.string().optional(),
  trained: z
    .record(text, z.unknown())
    .superRefine(({ through }, context) => {
      if (through === undefined || (typeof through === 'string' && /^\d{4}-(W\d{2}|\d{2}-\d{2})$/.test(through))) return;
      context.addIssue({
        code: 'custom',
        path: ['through'],
        message: 'write an ISO week like 1997-W06 or a date like 1997-02-16',
      });
    })
    .optional(),
  inputs: z.array(input).min(1, 'name at least one input'),
  output: outputSchema,
  reference: z
    .strictObject({
      score: scoreHistogram.optional(),
      /** For a bundle with classes: the probabilities of a class, by its label. */
      classes: z.record(z.string(), scoreHistogram).optional(),
      features: z.record(text, featureReference).default({}),
    })
    .optional(),
  baseline: z.record(text, scalar).optional(),
  baseline_rows: z
    .strictObject({ file: inside.default('baseline.csv'), sha256: hexDigest('the file with the baseline rows') })
    .optional(),
  golden: z
    .strictObject({
      file: inside.default('golden.csv'),
      tolerance: z.number().positive().default(1e-6),
      provider_tolerance: z.number().positive().default(1e-4),
    })
    .prefault({}),
});

export type BundleDefinition = z.output<typeof bundleSchema>;

import { z } from 'zod';
import { GRAINS } from '../domain/window.ts';
import { challenger } from './challenger-schema.ts';
import { compare } from './compare-schema.ts';
import { delivery } from './delivery-schema.ts';
import { bundlePlace, text, timeZone } from './fields.ts';
import { gates } from './gates-schema.ts';
import { incremental } from './incremental-schema.ts';
import { labels } from './labels-schema.ts';
import { registry } from './registry-schema.ts';
import { report } from './report-schema.ts';
import { score } from './score-schema.ts';
import { sink } from './sink-schema.ts';
import { source } from './source-schema.ts';

/** The job file. `z.input` is what users write and editors complete; `z.output` is the JobDefinition. */
export const jobSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'use lower-case letters, digits, - and _')
    .describe('name that identifies the job in every table'),
  description: z.string().optional().describe('what the job does, for people'),
  model: bundlePlace.describe('folder of the model bundle, or a version in MLflow: models:/NAME@ALIAS or models:/NAME/VERSION'),
  registry: registry.optional().describe('how to handle the registry of models:/…'),
  time_zone: timeZone.describe('IANA time zone of the windows'),
  every: z.enum(GRAINS).default('week').describe('length of the windows that go to the report tables'),
  source,
  features: z.record(text, text).default({}).describe('feature of the model → column of the query, if their names differ'),
  score: score.prefault({}),
  sink,
  report: report.prefault({}),
  gates: gates.prefault({}),
  compare: compare.prefault({}).describe('limits for comparisons; if one is violated, compare ends with 65'),
  challenger: challenger.optional().describe('second model that scores the same rows and is never shown in the report'),
  incremental: incremental
    .optional()
    .describe('score only users that changed, in slices between the windows (score-batch --slice)'),
  delivery: delivery.optional().describe('whom to notify once a window is published'),
  labels: labels.optional().describe('known outcomes of the users, to evaluate the scores'),
});

/** A checked job file with all defaults filled in. */
export type JobDefinition = z.output<typeof jobSchema>;

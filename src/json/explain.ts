import { z } from 'zod';
import { job, label, type Made, model, runId, text } from './fields.ts';

const score = z.strictObject({
  window: label,
  run_id: runId,
  model: model.pick({ name: true, version: true }),
  score: z.number(),
  rank: z.int(),
  decile: z.int(),
  band: text,
  reasons: z.array(text).describe('as published, the strongest first'),
});

export const explainOutput = z.strictObject({
  job,
  window: label,
  run_id: runId,
  model,
  score: score.nullable().describe('null if the user was not scored'),
  quarantined: z.array(z.strictObject({ reason: text, column: text })),
  reasons: z.array(text).describe('the strongest first'),
  reasons_from: z.string().nullable().describe('where the reasons come from, for people'),
  earlier: z.array(score).describe('newest window first'),
});

export type ExplainOutput = Made<typeof explainOutput>;

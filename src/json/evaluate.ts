import { z } from 'zod';
import { count, instant, job, label, type Made, runId, table, text } from './fields.ts';

const measure = z.number().nullable();

const group = z.strictObject({
  users: count,
  positives: count.describe('users whose outcome came true'),
  mean_score: measure,
  auc: measure,
  auc_low: measure.describe('95 % interval of the AUC'),
  auc_high: measure,
  average_precision: measure,
  brier: measure,
  calibration_error: measure,
});

const facts = group.extend({
  evaluated_at: instant,
  label_end: instant.describe('end of the time in which outcomes counted'),
  published: count.describe('users of the publication'),
  missing: count.describe('published users without a known outcome'),
  missing_as: z.enum(['exclude', 'negative']),
  labels: count.describe('rows of the query of labels'),
  unmatched: count.describe('of these, rows that belong to no published user'),
  in_sample: z.boolean().nullable().describe('whether the model was trained on this window; null if its bundle does not say'),
  treated: group.nullable().describe('users who were contacted; null if not known'),
  untreated: group.nullable(),
  warnings: z.array(text),
});

/** An evaluation, as in the ledger. */
export const evaluation = facts.extend({ table: z.array(text).describe('the evaluation table by the parts of its name') });

export const evaluateOutput = z.strictObject({ job, window: label, run_id: runId, ...facts.shape, table });

export type EvaluateOutput = Made<typeof evaluateOutput>;

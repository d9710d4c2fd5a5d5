import { z } from 'zod';
import { count, instant, job, label, type Made, model, runId, text } from './fields.ts';

const number = z.number();
const share = z.number().min(0).max(1);
const measure = number.nullable();

const quantiles = z
  .array(z.strictObject({ share, value: number }))
  .describe('the lowest value that at least this share of the users do not exceed');

const side = z.strictObject({
  name: z.string().describe('as the call named it: a window, a run, or the folder of a bundle'),
  job,
  window: z.strictObject({ label, start: instant, end: instant }),
  run_id: runId,
  publication: count.nullable().describe('null for rows that were scored for the comparison only'),
  rows: z.enum(['published', 'replaced', 'challenger', 'scored aside']),
  model,
  users: count,
  mean_score: measure,
  quantiles,
});

const measures = z.strictObject({
  users: count,
  positives: count.describe('users whose outcome came true'),
  auc: measure,
  auc_low: measure.describe('95 % interval of the AUC'),
  auc_high: measure,
  brier: measure,
  calibration_error: measure,
});

const outcomes = z.strictObject({
  a: measures,
  b: measures,
  by: z.enum(['paired', 'unpaired']).describe('paired: over the users in both'),
  auc_difference: z
    .strictObject({ value: number, low: number, high: number })
    .nullable()
    .describe('AUC of b − AUC of a, with its 95 % interval'),
});

/** The comparison of two sides in `compare`, and of champion and challenger in the ledger. */
export const comparison = z.strictObject({
  a: side,
  b: side,
  coverage: z.strictObject({
    both: count,
    only_a: count,
    only_b: count,
    of_a: share.nullable().describe('share of the users of a that b has'),
    of_b: share.nullable().describe('share of the users of b that a has'),
  }),
  differences: z
    .strictObject({
      users: count,
      mean: number,
      mean_absolute: number,
      max_absolute: number,
      equal: count.describe('users whose score did not change'),
      much_higher: count.describe('users whom b scores higher by more than 0.1'),
      much_lower: count.describe('users whom b scores lower by more than 0.1'),
      quantiles,
    })
    .nullable()
    .describe('score of b − score of a, of users in both; null if there are none'),
  largest: z
    .array(z.strictObject({ key: z.array(text), score_a: number, score_b: number, difference: number }))
    .describe('users in both with the largest differences, the largest first'),
  ranks: z
    .strictObject({
      top_decile_overlap: share.describe('share of the riskiest tenth that is the same'),
      spearman: measure.describe('null if all scores of a side are equal'),
    })
    .nullable()
    .describe('null with fewer than two users in both'),
  bands: z
    .strictObject({
      names: z.array(text).describe('from the highest risk down'),
      moves: z.array(z.strictObject({ from: text, to: text, users: count })).describe('pairs without users are left out'),
      moved: share.describe('share of the users in both whose band differs'),
    })
    .nullable(),
  histogram: z
    .strictObject({ a: z.array(count), b: z.array(count) })
    .describe('users by tenths of the score, 0 to below 0.1 first'),
  psi: measure.describe('drift of the scores of b from those of a, of all users'),
  outcomes: outcomes.nullable().describe('how well both predicted the outcomes; null if the outcomes are not known'),
  notes: z.array(text).describe('what a reader should know, one sentence each'),
});

export const checkedLimits = z
  .array(
    z.strictObject({
      name: z.string().describe('key of compare in the job file'),
      limit: number,
      value: measure.describe('null if not measured'),
      state: z.string().describe('within, beyond or not checked'),
    }),
  )
  .describe('the limits of the job file');

export const compareOutput = comparison.extend({ limits: checkedLimits });

export type CompareOutput = Made<typeof compareOutput>;

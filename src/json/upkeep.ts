import { z } from 'zod';
import { count, instant, job, label, type Made, paths, runId, text } from './fields.ts';

export const reportOutput = z.strictObject({
  job,
  window: label,
  run_id: runId,
  files: paths.describe('the files that were written'),
  rows: count,
});

export type ReportOutput = Made<typeof reportOutput>;

export const gcOutput = z.strictObject({
  job,
  applied: z.boolean(),
  left: z.array(
    z.strictObject({
      name: text,
      run_id: runId.nullable(),
      deadline: instant.nullable(),
      action: z.enum(['drop', 'dropped', 'keep']),
      why: text,
    }),
  ),
});

export type GcOutput = Made<typeof gcOutput>;

export const checkOutput = z.strictObject({
  job,
  ok: z.boolean(),
  checks: z.array(z.strictObject({ check: text, ok: z.boolean(), found: text, hint: text.nullable() })),
});

export type CheckOutput = Made<typeof checkOutput>;

export const initOutput = z.strictObject({
  files: paths,
  open: z.array(text).describe('what is left to do, one sentence per task'),
});

export type InitOutput = Made<typeof initOutput>;

import { z } from 'zod';
import { job, type Made, rows, runId, text, window } from './fields.ts';

const error = z.strictObject({
  kind: z.string().describe('as in score-batch/error'),
  exit_code: z.int().min(1).max(255),
  message: text,
  details: z.array(text),
  hint: text.nullable().describe('what to do about it'),
});

export const backfillOutput = z.strictObject({
  job,
  from: z.string().describe('first window, as the call named it'),
  to: z.string().describe('last window, as the call named it'),
  jobs: z.int().min(1).describe('windows at once'),
  windows: z
    .array(
      z.strictObject({
        window,
        state: z.enum(['published', 'already published', 'refused', 'skipped', 'failed', 'interrupted', 'not started']),
        run_id: runId.nullable(),
        rows: rows.nullable(),
        seconds: z.number().min(0).nullable().describe('seconds that this command spent on the window; null if it did not run'),
        warnings: z.array(text),
        error: error.nullable(),
      }),
    )
    .describe('oldest first'),
  error: error.nullable().describe('error that the command ends with; null if every window is published or has no rows'),
});

export type BackfillOutput = Made<typeof backfillOutput>;

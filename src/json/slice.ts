import { z } from 'zod';
import { SLICE_KINDS } from '../domain/slice.ts';
import { count, instant, job, type Made, model, rows, runId, stageSeconds, text } from './fields.ts';

const slice = z.strictObject({
  run_id: runId,
  state: z.enum(['published', 'already published']),
  kind: z.enum(SLICE_KINDS).describe('snapshot and full read all users, changes those that changed'),
  as_of: instant.describe('the instant at which features were computed, with microseconds'),
  spans: z
    .array(z.strictObject({ source: text, from: text.nullable(), to: text }))
    .describe('what was read from each change source; to is exclusive'),
  boundary: text.nullable().describe('end of a window of the batch, if the slice ends there and is compared with it'),
  model,
  rows: rows.optional(),
  outcome: z
    .strictObject({
      changed_keys: count.nullable().describe('null if all users were read'),
      scored: count.describe('rows that the model scored'),
      unchanged: count.describe('rows whose features and model are unchanged: they kept their score'),
      quarantined: count,
      deleted: count,
      users: count.describe('users in the current table now'),
      other_model: count.describe('users whose score is of an earlier model'),
      last_full: instant.describe('when all users were last read'),
    })
    .optional(),
  seconds: stageSeconds.optional(),
  warnings: z.array(text),
});

/** What `run --slice` prints. */
export const slicesOutput = z.strictObject({
  job,
  slices: z.array(slice).describe('one slice, or more after an outage or where a window of the batch ends'),
});
export type SlicesOutput = Made<typeof slicesOutput>;

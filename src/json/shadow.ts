import { z } from 'zod';
import { SHADOW_TARGETS } from '../domain/shadow.ts';
import { count, instant, job, label, type Made, runId, text } from './fields.ts';

const shadowComparison = z.strictObject({
  window: z.strictObject({ label, start: instant, end: instant }),
  run_id: runId.describe('run of the batch'),
  publication: count.describe('its number'),
  keys: count.describe('users that the batch scored'),
  missing: count.describe('of these, users that the current table did not have'),
  extra: count
    .nullable()
    .describe(
      'users of the current table that no window of the batch has; null if not all windows since incremental.since are published',
    ),
  quarantined_in_batch: count.describe('users in quarantine in the batch only'),
  quarantined_in_current: count.describe('users in quarantine in the current table only'),
  compared: count.describe('users whose scores are of the same model'),
  differing: count.describe('of these, users whose scores differ by more than max_delta'),
  largest_delta: z.number(),
  max_delta: z.number().describe('incremental.shadow.max_delta at that time'),
  other_model: count.describe('users whose score in the current table is of another model'),
  within: z.boolean(),
});

export const compareShadowOutput = z.strictObject({
  job,
  comparisons: z.array(shadowComparison).describe('the last comparison of each of the newest windows, newest last'),
  made: z.array(label).describe('windows that this call compared'),
  waiting: z.array(instant).describe('ends of windows that the batch has not published yet'),
  in_row: z.array(label).describe('windows whose comparisons are within limits in a row, the newest first'),
  needed: count.describe('incremental.shadow.comparisons'),
  look_at: z.array(text).describe('SELECTs that show the users, if this call found some beyond the limits'),
});

export type CompareShadowOutput = Made<typeof compareShadowOutput>;

/** `promote --shadow` and `rollback --shadow`. */
export const switchOutput = z.strictObject({
  job,
  reads: z.enum(SHADOW_TARGETS).describe('where the view now takes its rows from; with --dry-run, where it would'),
  view: z.string().describe('name of the view, parts joined by dots'),
  state: z.enum(['switched', 'would switch', 'already switched']),
  run_id: runId.nullable().describe('id of the switch in the ledger; null with --dry-run, or if no switch was ever made'),
  windows: z.array(label).describe('windows whose comparisons were within limits, the newest first'),
  forced: z.boolean(),
  reason: text.nullable(),
  refusals: z.array(text).describe('what a forced switch overruled'),
  user: text.nullable().describe("user of the warehouse's session"),
});

export type SwitchOutput = Made<typeof switchOutput>;

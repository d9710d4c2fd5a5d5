import { z } from 'zod';
import { count, digest, job, label, type Made, paths, rows, runId, text } from './fields.ts';

const user = text.nullable().describe("user of the warehouse's session");

const mean = z.number().nullable();
const model = z.string().describe('name and version');

export const rollbackOutput = z.strictObject({
  state: z.enum(['rolled back', 'would roll back', 'already current']),
  job,
  window: label,
  run_id: runId.optional().describe('the run that is current now; absent with --dry-run'),
  publication: count.optional().describe('its number; absent with --dry-run'),
  from: z
    .strictObject({ run_id: runId, publication: count, rows, model })
    .optional()
    .describe('what was current before; absent if nothing changes'),
  to: z
    .strictObject({ run_id: runId, publication: count, rows: rows.nullable(), model })
    .optional()
    .describe('the publication that is restored'),
  change: z
    .strictObject({
      users_in_both: count,
      users_only_now: count,
      users_only_then: count,
      other_scores: count.describe('users in both whose score differs'),
      mean_score_now: mean,
      mean_score_then: mean,
    })
    .optional()
    .describe('now: before the rollback; then: what is restored'),
  files: paths.optional().describe('report files that were written; absent with --dry-run'),
});

export type RollbackOutput = Made<typeof rollbackOutput>;

const promoted = z.strictObject({
  model: z.string().describe('folder of the bundle, as written in the job file before or after'),
  name: text,
  version: text,
  digest,
  definition_digest: digest.describe('of model.yaml'),
});

export const promoteOutput = z.strictObject({
  job,
  run_id: runId.nullable().describe('id of the promotion in the ledger; null with --dry-run'),
  state: z.enum(['promoted', 'finished', 'would be promoted']).describe('finished: an earlier process began it'),
  from: promoted,
  to: promoted,
  windows: z.array(label).describe('windows whose comparisons were within the limits, the newest first'),
  changes: z.array(text).describe('what changes in the job, for people'),
  forced: z.boolean(),
  reason: text.nullable(),
  refusals: z.array(text).describe('what a forced promotion overruled'),
  user,
});

export type PromoteOutput = Made<typeof promoteOutput>;

export const eraseOutput = z.strictObject({
  job,
  erase_id: text.nullable().describe('id of the erasure in the ledger; null if nothing was found, or with --dry-run'),
  dry_run: z.boolean(),
  rows: z.record(text, count).describe('rows by table'),
  kept_rows: z.record(text, count).describe('rows by the run that kept them'),
  dropped: z.array(text).describe('leftovers of runs that were dropped'),
  files: paths.describe('files that were rewritten'),
  warnings: z.array(text),
});

export type EraseOutput = Made<typeof eraseOutput>;

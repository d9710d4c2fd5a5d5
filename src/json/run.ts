import { z } from 'zod';
import { checkedLimits, comparison } from './compare.ts';
import {
  acceptance,
  bottleneck,
  count,
  digest,
  execution,
  job,
  type Made,
  model,
  modelChanged,
  paths,
  providers,
  rates,
  rows,
  runId,
  stageSeconds,
  supersededWindow,
  table,
  text,
  window,
  workerTime,
} from './fields.ts';

const psi = z.number().nullable();
const share = z.number().min(0).max(1);

const compared = z.strictObject({ run_id: runId, digest, definition_digest: digest.describe('of model.yaml') });

const challenger = z.strictObject({
  model: z.string().describe('folder of its bundle, as the job file has it'),
  run_id: runId.nullable(),
  state: z.enum(['published', 'not published']),
  comparison: z
    .strictObject({
      champion: compared,
      challenger: compared,
      measures: comparison.describe('as compare --json, without users'),
      limits: checkedLimits,
    })
    .nullable()
    .describe('null if there are no scores to compare'),
  error: text.nullable().describe('why it was not published'),
});

/** What `run` and `publish` print. */
export const runOutput = z.strictObject({
  job,
  window,
  run_id: runId,
  state: z
    .enum(['published', 'already published'])
    .describe('already published: another process or an earlier run published the window'),
  rows: rows.optional(),
  chunks: count.optional(),
  chunks_resumed: count.optional().describe('chunks that an earlier process of the run had staged'),
  model,
  providers,
  execution: execution.nullable().describe('null if other processes scored, or nothing was left to score'),
  batch_rows_halved_to: count.nullable().describe("rows per batch, if larger ones did not fit the device's memory"),
  score_psi: psi.describe("drift of the scores from the bundle's reference; null if it was not measured"),
  score_psi_previous: psi.describe('drift of the scores from the previous window, if the same model scored it'),
  feature_drift: z
    .array(z.strictObject({ feature: text, psi: z.number(), null_share: share, reference_null_share: share }))
    .describe('the features that drifted most'),
  model_changed: modelChanged.nullable(),
  supersedes_windows: z.array(supersededWindow).describe('publications of overlapping windows that this one supersedes'),
  accepted: acceptance.nullable(),
  challenger: challenger.nullable().describe('null if the job has none, or an earlier process already handled it'),
  quarantined: z.array(z.strictObject({ reason: text, column: text.nullable(), rows: count })),
  tables: z.array(table),
  files: paths.describe('report files that were written'),
  seconds: stageSeconds.optional(),
  workers: workerTime.optional(),
  rows_per_second: rates.optional(),
  bottleneck: bottleneck.optional(),
  warnings: z.array(text),
});

export type RunOutput = Made<typeof runOutput>;

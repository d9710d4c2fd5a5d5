import { z } from 'zod';
import { INPUT_DTYPES } from '../domain/signature.ts';
import {
  count,
  execution,
  job,
  type Made,
  model,
  modelChanged,
  paths,
  rows,
  runId,
  supersededWindow,
  table,
  text,
  window,
} from './fields.ts';

const reads = z.enum(['frozen rows', 'query again']);
const number = z.number();
const perFeature = z.union([number, z.record(text, number)]);

const gates = z.strictObject({
  min_rows: number,
  max_drop: number.optional(),
  max_quarantine_rate: number,
  max_score_psi: number.optional(),
  psi_min_rows: number,
  max_feature_psi: perFeature.optional(),
  max_null_share: perFeature.optional(),
  min_auc: number.optional(),
  max_calibration_error: number.optional(),
  on_evaluation: z.enum(['warn', 'refuse']),
});

export const planOutput = z.strictObject({
  job,
  job_file: text,
  window,
  source: z.string().describe('URL of the source'),
  sink: z.string().describe('URL of the warehouse of the scores'),
  sql: z.string().describe('the query, with its parameters by name'),
  parameters: z.record(text, text).describe('values of the window'),
  rows: count.nullable().describe('null if they are not known without running the query'),
  bytes: count.nullable().describe('what the query is expected to read; null if the source cannot tell'),
  usd: number.nullable(),
  usd_per_tib: number.nullable(),
  freezes: z.boolean().describe('whether rows are copied before they are scored'),
  unloads: z.boolean(),
  chunks: count.nullable(),
  model: model.extend({ provider: text.optional() }),
  execution: execution.nullable(),
  features: z.array(z.strictObject({ name: text, column: text, type: text, input: z.enum(INPUT_DTYPES) })),
  tables: z.array(table).describe('the tables that a run would write'),
  drift: z
    .strictObject({
      features: z.array(text),
      columns: z.array(text),
      without_reference: z.array(text),
      statements: count,
      reads,
    })
    .nullable()
    .describe('what measuring the drift of the features reads; null if it is not measured'),
  reasons: z
    .strictObject({ top: count, features: count, baseline_rows: count, reads })
    .nullable()
    .describe('what finding reasons takes; null if the job has none'),
  report: paths.describe('the report files that a run would write'),
  supersedes: z.strictObject({ run_id: runId, rows }).nullable().describe("the window's publication"),
  supersedes_windows: z.array(supersededWindow).describe('publications of overlapping windows'),
  model_changed: modelChanged.nullable(),
  would_be_refused: z.array(text).describe('why the run would end with 65, judged by the number of rows alone'),
  resumes: runId.nullable().describe('the unfinished run that would go on'),
  gates,
  fingerprint: z.string().describe('equal for runs that would publish the same scores from the same rows'),
});

export type PlanOutput = Made<typeof planOutput>;

import { z } from 'zod';
import { INPUT_DTYPES } from '../domain/signature.ts';
import {
  count,
  execution,
  instant,
  job,
  label,
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

const keyChange = z.strictObject({
  key: z.string().describe('key of the job file'),
  before: z.string().nullable().describe('as JSON, or a digest if it is long; null if it was not set'),
  after: z.string().nullable(),
});

const modelChanges = z.strictObject({
  before: model,
  after: model,
  signature: z
    .strictObject({
      added: z.array(z.strictObject({ feature: text, what: text })),
      removed: z.array(text),
      changed: z.array(z.strictObject({ feature: text, what: z.array(text) })),
      output: z.strictObject({ before: text, after: text }).nullable(),
      not_compared: count.describe('features of a wide model that the ledger does not list'),
    })
    .nullable()
    .describe('null if it is not known'),
  golden: z
    .strictObject({
      recorded: count.describe('golden rows of the earlier bundle with scores in the ledger'),
      compared: count.describe('of these, golden rows that the bundle also has'),
      changed: z.array(z.strictObject({ row: z.int().min(1), before: number, after: number })),
    })
    .nullable()
    .describe('scores of the golden rows in both bundles; null if they cannot be compared'),
});

const changes = z.strictObject({
  sql: text.nullable().describe('unified diff of the query; null if the query is the same'),
  model: modelChanges.nullable(),
  gates: z.array(keyChange),
  bands: z.strictObject({ before: text, after: text }).nullable(),
  job: z.array(keyChange).describe('other keys of the job file'),
  unknown: z
    .array(z.enum(['query', 'job file', 'signature', 'golden scores']))
    .describe('facts that the version of score-batch that published did not record'),
});

const unfinished = z.strictObject({
  run_id: runId,
  started_at: instant,
  resumed: z.boolean().describe('whether a run would resume it'),
  published: z.boolean().describe('whether only its report files are missing'),
  differs: z
    .array(z.enum(['format', 'source', 'query', 'window', 'columns', 'job', 'model', 'hash_key']))
    .nullable()
    .describe('what has changed since the run began; null if it did not record that'),
  keys: z.array(text).describe('keys of the job file that differ'),
});

const edits = z
  .strictObject({ resumed_after: z.array(text), starts_over_after: z.array(text) })
  .describe(
    'keys of the job file that can be edited without making an unfinished run start over, and edits that make it start over',
  );

export const planOutput = z.strictObject({
  outcome: z.string().describe('what would happen, in one sentence'),
  times_published: count.describe('how often the window has been published'),
  since: z
    .strictObject({
      window: label,
      run_id: runId,
      publication: count,
      recorded_at: instant,
      rows,
      model,
    })
    .nullable()
    .describe('the publication that the plan is compared with: of this window, else of the latest earlier one of its kind'),
  changes: changes.nullable().describe('changes since then; null without an earlier publication'),
  creates: z.array(z.strictObject({ table, statement: text })).describe('tables that do not exist yet'),
  unfinished: unfinished.nullable().describe('an unfinished run of the window'),
  edits,
  job,
  job_file: text,
  window,
  source: z.string().describe('URL of the source'),
  attributes_as_of: z
    .enum(['load', 'version', 'event'])
    .nullable()
    .describe(
      'which attributes of events apply: those in the table when the query runs, those of the version that was used, or those at the time of the event; null if there are none',
    ),
  sink: z.string().describe('URL of the warehouse of the scores'),
  sql: z.string().describe('the query, with its parameters by name'),
  parameters: z.record(text, text).describe('values of the window'),
  rows: count.nullable().describe('null if not known without running the query'),
  bytes: count.nullable().describe('bytes that the query is expected to read; null if the source cannot tell'),
  usd: number.nullable(),
  usd_per_tib: number.nullable(),
  freezes: z.boolean().describe('whether rows are copied before they are scored'),
  unloads: z.boolean(),
  chunks: count.nullable(),
  as_of: runId.nullable().describe('the run whose kept rows would be scored instead of the rows of the query'),
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
    .describe('what is read to measure the drift of the features; null if drift is not measured'),
  reasons: z
    .strictObject({ top: count, features: count, baseline_rows: count, reads })
    .nullable()
    .describe('how reasons would be found; null if the job has none'),
  report: paths.describe('the report files that a run would write'),
  supersedes: z.strictObject({ run_id: runId, rows }).nullable().describe("the window's publication"),
  supersedes_windows: z.array(supersededWindow).describe('publications of overlapping windows'),
  model_changed: modelChanged.nullable(),
  would_be_refused: z.array(text).describe('why the run would end with 65, judged by the number of rows alone'),
  resumes: runId.nullable().describe('the unfinished run that would be resumed'),
  gates,
  fingerprint: z.string().describe('equal for all runs that would publish the same scores from the same rows'),
});

export type PlanOutput = Made<typeof planOutput>;

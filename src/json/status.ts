import { z } from 'zod';
import { DELIVERY_STATES } from '../domain/deliveries.ts';
import { TARGETS } from '../domain/delivery.ts';
import { RUN_STATES } from '../domain/ledger.ts';
import { GATES } from '../domain/refusal.ts';
import { evaluation } from './evaluate.ts';
import {
  acceptance,
  bottleneck,
  count,
  digest,
  execution,
  instant,
  job,
  label,
  type Made,
  modelChanged,
  providers,
  rows,
  runId,
  stageSeconds,
  supersededWindow,
  text,
  workerTime,
} from './fields.ts';
import { slicesStatus } from './status-slices.ts';

const psi = z.number().nullable();

const refusal = z.strictObject({
  gate: z.enum(GATES),
  message: text,
  measured: z.number().describe('in the unit of the limit'),
  limit: z.number(),
  feature: text.optional().describe('for a gate that measures features'),
  baseline: z.enum(['reference', 'previous']).optional().describe('what the scores of max_score_psi are compared with'),
});

const rollback = z.strictObject({
  publication: count.describe('the publication of the run that is current again'),
  from: z.strictObject({ run_id: runId, publication: count }),
  reason: text.nullable(),
  user: text.nullable(),
});

const gap = z.strictObject({
  window: label,
  flags: z.string().describe('flags that name this window in any command'),
  start: instant,
  end: instant,
});

const delivery = z.strictObject({
  publication: count,
  target: z.enum(TARGETS),
  occasion: z.enum(['published', 'published again', 'rolled back']).describe('why the message was sent'),
  outcome: z.enum(['delivered', 'failed', 'unknown']).describe('unknown: the message may have arrived; nothing is sent twice'),
  at: instant,
  status: count.nullable().describe('of the answer: an HTTP status, or the code of an SMTP reply'),
  reason: text.nullable(),
});

const run = z.strictObject({
  window: label,
  window_start: instant,
  window_end: instant,
  flags: z.string().describe('flags that name this window in any command'),
  run_id: runId,
  state: z
    .enum(RUN_STATES)
    .exclude(DELIVERY_STATES)
    .describe(
      'promoting, promoted: a change of the model; erased: a removal of a person; compared, switched: a comparison or switch of slices in shadow',
    ),
  current: z.boolean().describe("whether this run is the window's publication"),
  tables_differ: z.array(text).describe('how the tables differ from what the ledger says; empty if they agree'),
  model_changed: modelChanged.nullable(),
  superseded_by: supersededWindow.nullable().describe("the publication of an overlapping window that removed this run's rows"),
  refused_by: z.array(refusal).describe('the gates that refused it'),
  accepted: acceptance.nullable(),
  rollback: rollback.nullable().describe('the publication that it replaced, if it is a rollback'),
  unfinished: z.boolean().describe('whether the same command can resume it'),
  lost: z.boolean().describe('whether another run has since published the window'),
  changed: z
    .array(text)
    .nullable()
    .describe('what has changed in the job since an unfinished run began; null if the run is not unfinished'),
  started_at: instant,
  started_on: z.string().describe('host of the process that started it'),
  recorded_at: instant,
  host: text,
  rows: rows.nullable(),
  chunks: count.nullable(),
  providers: providers.nullable(),
  execution: execution.nullable(),
  model: z.string().describe('name and version'),
  model_digest: digest.nullable().describe('null for an erasure, which runs no model'),
  mean_score: z.number().nullable().describe('null if nothing was scored or it is not recorded'),
  score_psi: psi.describe("drift of the scores from the bundle's reference"),
  score_psi_previous: psi.describe('drift of the scores from the previous window'),
  seconds: stageSeconds.nullable(),
  workers: workerTime.nullable(),
  bottleneck: bottleneck.nullable(),
  evaluation: evaluation.nullable().describe('how well the scores predicted the outcomes of the users, if these are known'),
  deliveries: z.array(delivery).describe('messages about its publications; see docs/delivery.md'),
  error: text.nullable(),
});

export const statusOutput = z.strictObject({
  job,
  runs: z.array(run).describe('newest last; empty with --slices'),
  missing: z.array(gap).describe('windows without a publication: the newest, oldest first; empty with --slices'),
  missing_total: count.describe('how many there are, at most 1,000'),
  backfill: text.nullable().describe('the command that runs all of them; null without any'),
  incremental: slicesStatus.optional(),
});

export type StatusOutput = Made<typeof statusOutput>;

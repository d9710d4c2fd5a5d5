import { z } from 'zod';
import { evaluation } from './evaluate.ts';
import {
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

const run = z.strictObject({
  window: label,
  flags: z.string().describe('flags that name this window in any command'),
  run_id: runId,
  state: z.enum(['started', 'failed', 'refused', 'skipped', 'published', 'completed', 'superseded']),
  current: z.boolean().describe("whether this run is the window's publication"),
  tables_differ: z.array(text).describe('how the tables differ from what the ledger says; empty if they agree'),
  model_changed: modelChanged.nullable(),
  superseded_by: supersededWindow.nullable().describe("the publication of an overlapping window that removed this run's rows"),
  unfinished: z.boolean().describe('whether the same command can resume it'),
  lost: z.boolean().describe('whether another run has published the window since'),
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
  seconds: stageSeconds.nullable(),
  workers: workerTime.nullable(),
  bottleneck: bottleneck.nullable(),
  evaluation: evaluation.nullable().describe('how well the scores foretold what became of the users, if that is known'),
  error: text.nullable(),
});

export const statusOutput = z.strictObject({ job, runs: z.array(run).describe('newest last') });

export type StatusOutput = Made<typeof statusOutput>;

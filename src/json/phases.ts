import { z } from 'zod';
import {
  bottleneck,
  count,
  execution,
  job,
  type Made,
  providers,
  rates,
  runId,
  stageSeconds,
  window,
  workerTime,
} from './fields.ts';

const phase = { job, window, run_id: runId };

export const freezeOutput = z.strictObject({
  ...phase,
  state: z.enum(['frozen', 'already published']),
  rows: count.describe('frozen rows'),
  chunks: count,
});

export type FreezeOutput = Made<typeof freezeOutput>;

export const scoreOutput = z.strictObject({
  ...phase,
  state: z.enum(['scored', 'already published']),
  shard: z.strictObject({ index: z.int().min(1), count: z.int().min(1) }),
  chunks: count.describe('chunks of the frozen table'),
  chunks_scored: count.describe('of these, chunks that this process scored'),
  rows_scored: count,
  providers,
  execution: execution.nullable(),
  batch_rows_halved_to: count.nullable(),
  seconds: stageSeconds.describe('wall-clock seconds of this process'),
  workers: workerTime,
  rows_per_second: rates,
  bottleneck,
});

export type ScoreOutput = Made<typeof scoreOutput>;

import { z } from 'zod';
import { STAGES } from '../domain/stages.ts';
import { count, digest, job, label, type Made, text } from './fields.ts';

const number = z.number();
const amount = z.number().min(0);
const share = z.number().min(0).max(1);

const estimate = z
  .strictObject({
    value: amount.describe('0 if least squares give a negative value'),
    low: number.describe('90 % interval'),
    high: number,
    above_zero: z.boolean().describe('whether the whole interval lies above 0'),
  })
  .describe('a coefficient of the line');

const line = z
  .strictObject({
    fixed: estimate,
    per_row: estimate,
    points: count,
    rows_min: count,
    rows_max: count,
    doubt: z
      .enum(['alike', 'scattered'])
      .nullable()
      .describe(
        'why the fixed part is uncertain, that is, why its interval is wider than its value: row counts are too alike, or costs too scattered',
      ),
  })
  .describe('cost = fixed + per_row × rows, by least squares');

const stage = z.strictObject({
  stage: z.enum(STAGES),
  seconds: amount.describe('median'),
  share: share.describe('median share of the seconds of a run'),
  per_1000_rows: amount.describe('median of all of its seconds per 1,000 rows'),
  fixed: amount.nullable().describe('seconds regardless of the number of rows; null with too few runs'),
});

const bytes = amount.nullable().describe('null if the source cannot tell');

const interval = z.strictObject({
  minutes: count,
  slices: count.describe('slices in a window of the batch'),
  rows: amount.describe('rows of a slice'),
  seconds: amount,
  seconds_at_most: amount.describe('upper end of the 90 % prediction interval'),
  oldest_seconds: amount.describe('greatest age of a row before it is scored'),
  seconds_per_window: amount,
  bytes,
  bytes_per_window: bytes,
  usd_per_window: amount.nullable(),
});

export const profileOutput = z.strictObject({
  job,
  measured: z.boolean().describe('whether slices were measured now, instead of reading the ledger'),
  setting: z
    .strictObject({
      model: z.strictObject({ name: text, version: text, digest }),
      host: text.nullable().describe('null if runs of all hosts are compared'),
      provider: text,
      devices: z.array(text),
      workers: count,
      freezes: z.boolean().describe('whether rows are frozen first'),
    })
    .nullable()
    .describe('what all compared runs have in common; null without compared runs'),
  runs: z.array(z.strictObject({ window: label, rows: count, seconds: amount, bytes })).describe('compared runs or slices'),
  left_out: z.array(z.strictObject({ why: text, runs: count })),
  stages: z.array(stage),
  bottleneck: z.enum(STAGES).nullable().describe('stage with the largest share'),
  seconds: line.nullable().describe('null with fewer than three different row counts'),
  bytes: line.nullable(),
  usd_per_tib: amount,
  batch: z
    .strictObject({
      kind: z.enum(['week', 'day', 'hour', 'ad hoc']),
      hours: amount,
      rows: amount,
      seconds: amount,
      bytes,
      usd: amount.nullable(),
    })
    .nullable()
    .describe('one run for a window, as medians'),
  intervals: z.array(interval).describe('slices instead of the batch, the shortest first'),
  freshness: z
    .strictObject({
      target_seconds: amount,
      batch_is_enough: z.boolean(),
      interval_minutes: count.nullable().describe('the cheapest interval; null if the batch is enough'),
    })
    .nullable()
    .describe('null without --freshness'),
  notes: z.array(text).describe('assumptions and doubts, for people'),
  offer: text.nullable().describe('the command to run next if there are too few runs'),
});

export type ProfileOutput = Made<typeof profileOutput>;

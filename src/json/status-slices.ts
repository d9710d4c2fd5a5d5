import { z } from 'zod';
import { DELIVERY_STATES } from '../domain/deliveries.ts';
import { RUN_STATES } from '../domain/ledger.ts';
import { SLICE_KINDS } from '../domain/slice.ts';
import { count, instant, label, model, runId, stageSeconds, table, text } from './fields.ts';

const position = z.strictObject({
  number: count.describe('publication number of the newest slice'),
  run_id: runId,
  as_of: instant.describe('point in time up to which the data is scored, with microseconds'),
  age_seconds: z.number().describe('from as_of to now; negative if the clock of this machine is behind'),
  recorded_at: instant.describe('when the slice was published'),
  users: count.nullable().describe('users in the current table'),
  other_model: count.nullable().describe('users whose score is of an earlier model'),
  last_full: instant.nullable().describe('when all users were last read'),
  model,
});

const slice = z.strictObject({
  number: count.nullable().describe('publication number; null if the slice is not published'),
  run_id: runId,
  state: z.enum(RUN_STATES).exclude(DELIVERY_STATES),
  current: z.boolean().describe('whether the position is the end of this slice'),
  unfinished: z.boolean().describe('whether the next slice command resumes it'),
  lost: z.boolean().describe('whether another slice was published instead'),
  kind: z.enum(SLICE_KINDS),
  as_of: instant.describe('point in time up to which the slice reads, with microseconds'),
  boundary: text.nullable().describe('end of a window of the batch, if the slice ends there and is compared with it'),
  changed_keys: count.nullable().describe('keys that changed; null if all users were read, or the slice has not got that far'),
  scored: count.nullable().describe('null if the slice has not got that far, as below; for a refused slice, what it would be'),
  unchanged: count.nullable(),
  quarantined: count.nullable(),
  deleted: count.nullable(),
  started_at: instant,
  started_on: z.string().describe('host of the process that started it'),
  recorded_at: instant,
  seconds: stageSeconds.nullable(),
  bytes: z.number().min(0).nullable().describe('bytes that its query was expected to read'),
  usd: z.number().min(0).nullable().describe('price of these bytes by source.usd_per_tib'),
  error: text.nullable(),
});

/** Added by `status --slices`. */
export const slicesStatus = z
  .strictObject({
    table: table.describe('the current table'),
    position: position.nullable().describe('null if no slice is published'),
    shadow: z
      .strictObject({
        view: table.describe('the view that people read'),
        reads: z.enum(['batch', 'current']).describe('where the view takes its rows from'),
        comparisons_in_a_row: count.describe('number of newest comparisons in a row that were within limits'),
        comparisons_needed: count.describe('how many promote --shadow requires'),
        last_window: label.nullable().describe('the window that was last compared'),
      })
      .nullable()
      .describe('null if the job compares nothing'),
    slices: z.array(slice).describe('newest last'),
  })
  .describe('with --slices only');

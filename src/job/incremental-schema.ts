import { z } from 'zod';
import { columnList, duration, share, tableName, text, timeZone } from './fields.ts';
import { bands } from './score-schema.ts';

const changeSource = z
  .strictObject({
    table: text.describe('table that changes, as the query names it'),
    key: columnList
      .min(1)
      .optional()
      .describe('columns of the table that hold source.key, in its order; by default those of the same names'),
    watermark: text
      .optional()
      .describe('column with the instant at which a row was last written or changed, such as loaded_at'),
    time_zone: timeZone.optional().describe('time zone of a watermark that has none; UTC by default'),
    history: z
      .enum(['appends', 'changes'])
      .optional()
      .describe(
        'read the change history of the warehouse: appends for added rows only, changes for all changes (BigQuery, Snowflake)',
      ),
    events: z
      .enum(['debezium'])
      .optional()
      .describe('the table holds change events as Debezium writes them: op, before, after, and a position'),
    position: text.default('lsn').describe('column of an events table with the position of an event in its source'),
  })
  .refine(({ watermark, history, events }) => [watermark, history, events].filter((way) => way !== undefined).length === 1, {
    message: 'give one of watermark, history and events',
    when: ({ value }) => typeof value === 'object' && value !== null,
  });

/** How the job scores only what changed. */
export const incremental = z.strictObject({
  table: tableName.describe('the current table: one row per user'),
  since: z.iso
    .date()
    .describe('date from which users are included: the value of :window_start in a slice, as the start of that day'),
  changes: z.array(changeSource).min(1).describe('change sources: tables in which changes of users appear'),
  lag: duration
    .prefault('0 seconds')
    .describe('how far a slice stays behind the newest watermark of the data, such as 10 minutes'),
  lookback: duration
    .prefault('1 hour')
    .describe('how far before the position a slice starts to read, for rows that were written late'),
  bands: bands
    .refine(({ by }) => by === 'threshold', 'write thresholds like 0.9: the current table has no ranks')
    .optional()
    .describe('bands by thresholds; by default score.bands, which must then be thresholds'),
  refresh: z
    .enum(['day'])
    .optional()
    .describe('score all users once a day; needed if features depend on :window_end and so change for everyone'),
  reconcile: z
    .enum(['day'])
    .optional()
    .describe('compare all users once a day: finds deletes, changed keys and rows older than lookback'),
  rescore_rows: z
    .int()
    .min(0)
    .max(100_000)
    .default(20_000)
    .describe('after a change of model: how many unchanged users each slice rescores in addition to those that changed'),
  interval: duration
    .prefault('1 hour')
    .describe('how often slices run; used to compare the cost of a slice with its share of the cost of the batch'),
  shadow: z
    .strictObject({
      comparisons: z
        .int()
        .min(1)
        .default(7)
        .describe('how many comparisons in a row must be within the limits before promote --shadow switches the view'),
      max_extra: share
        .default(0)
        .describe(
          'maximum share of users that no window of the batch has, because their first rows arrived after their window ran; running that window again adds them',
        ),
      max_delta: z.number().min(0).default(1e-6).describe('largest difference between two scores that still counts as equal'),
      view: tableName.describe('view that people read: the scores of the batch, or the current table after the switch'),
    })
    .optional()
    .describe('compare the current table with each window of the batch before people read the current table'),
});

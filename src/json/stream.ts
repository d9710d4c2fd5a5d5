import { z } from 'zod';
import { WAREHOUSE_KINDS } from '../domain/warehouse-kind.ts';
import { count, digest, instant, job, label, type Made, model, runId, text } from './fields.ts';

export const streamSqlOutput = z.strictObject({
  job,
  warehouse: z.enum(WAREHOUSE_KINDS),
  features_digest: digest.describe('SHA-256 of what the features mean, hex'),
  sql: text.describe('one SELECT with the parameters :window_start and :window_end, or with the values of --from and --to'),
});

export type StreamSqlOutput = Made<typeof streamSqlOutput>;

const ids = z.array(text);

const differingFeatures = z
  .array(z.strictObject({ name: text, stream: text.nullable(), batch: text.nullable() }))
  .describe('features that differ, among those that the batch keeps in its scores table');

export const streamCompareOutput = z.strictObject({
  job,
  batch: z.string().describe('name of the batch job'),
  window: label,
  run_id: runId,
  model: model.describe('of the batch'),
  features_digest: digest.describe('SHA-256 of what the features of the stream mean, hex'),
  as_of: z.enum(['event', 'arrival']),
  compared: count.describe('events that both scored'),
  equal: count.describe('of these, scores that are equal to within 1e-6'),
  differ: count.describe('the others'),
  largest_difference: z.number().nullable().describe('null if nothing was compared'),
  only_stream: count,
  only_batch: count,
  doubled: count.describe('duplicate records of the stream'),
  idle: count.describe('events scored before their time, outside the agreement'),
  capped: count.describe('events whose window was cut, outside the agreement'),
  repeated: count.describe(
    'ids that the stream scored for several events, which the batch has quarantined; outside the agreement',
  ),
  scored_again: count.describe(
    'ids that the stream scored several times although it had to know them, or the batch has one event',
  ),
  other_model: count.describe('scores of another model, left out by --allow-other'),
  other_features: count.describe('scores with other features, left out by --allow-other'),
  not_scored: z
    .array(z.strictObject({ reason: text, events: count }))
    .describe(
      'dead letters with the time of the event, or else of Kafka, in the window: late ones, then the most frequent reason',
    ),
  differences: z
    .array(z.strictObject({ id: text, stream: z.number(), batch: z.number(), features: differingFeatures.nullable() }))
    .describe('the events that differ most'),
  named: z
    .strictObject({
      only_stream: ids,
      only_batch: ids,
      idle: ids,
      capped: ids,
      repeated: ids,
      scored_again: ids,
      rejected: z.array(z.strictObject({ reason: text, partition: count, offset: count })),
    })
    .describe('the first of each kind, and of each reason'),
});

export type StreamCompareOutput = Made<typeof streamCompareOutput>;
export const streamPlanOutput = z.strictObject({
  job,
  features_digest: digest.describe('SHA-256 of what the features mean, hex'),
  group: text.optional().describe('the consumer group; like all that follows but engine and sql, without --engine'),
  partitions: count.optional().describe('partitions of the input topic'),
  records: count.optional().describe('offsets that the input topic holds'),
  model: model.optional(),
  sources: z.record(text, text).optional().describe('feature of the model → window feature, field or attribute'),
  warnings: z.array(text).optional(),
  engine: z.literal('flink').optional(),
  sql: text.optional().describe('with --engine: statements, each ended by `;` and an empty line'),
});

export type StreamPlanOutput = Made<typeof streamPlanOutput>;

export const streamReplayOutput = z.strictObject({
  job,
  input: text.describe('topic with the events'),
  topic: text.describe('topic of the scores'),
  dead_letter: text.nullable().describe('topic of the events that were not scored; null if they were only counted'),
  from: instant,
  to: instant,
  model,
  features_digest: digest.describe('SHA-256 of what the features mean, hex'),
  as_of: z.enum(['event', 'arrival']),
  attributes_at: instant
    .nullable()
    .describe('instant of the attributes that were used, which are not as of the events; null without attributes'),
  partitions: count,
  continued: z.boolean().describe('whether an earlier call began the replay; its events are not counted'),
  unsettled: z.array(count).describe('partitions in which events of this time may still arrive'),
  scored: count,
  idle: count.describe('of these, events scored before their time, outside the agreement'),
  capped: count.describe('of these, events whose window was cut, outside the agreement'),
  duplicates: count,
  rejected: z.array(z.strictObject({ reason: text, events: count })).describe('the most frequent reason first'),
});

export type StreamReplayOutput = Made<typeof streamReplayOutput>;

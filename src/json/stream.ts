import { z } from 'zod';
import { WAREHOUSE_KINDS } from '../domain/warehouse-kind.ts';
import { count, digest, job, type Made, model, text } from './fields.ts';

export const streamSqlOutput = z.strictObject({
  job,
  warehouse: z.enum(WAREHOUSE_KINDS),
  features_digest: digest.describe('SHA-256 of what the features mean, hex'),
  sql: text.describe('one SELECT with the parameters :window_start and :window_end'),
});

export type StreamSqlOutput = Made<typeof streamSqlOutput>;

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

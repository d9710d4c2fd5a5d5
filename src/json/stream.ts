import { z } from 'zod';
import { WAREHOUSE_KINDS } from '../domain/warehouse-kind.ts';
import { digest, job, type Made, text } from './fields.ts';

export const streamSqlOutput = z.strictObject({
  job,
  warehouse: z.enum(WAREHOUSE_KINDS),
  features_digest: digest.describe('SHA-256 of what the features mean, hex'),
  sql: text.describe('one SELECT with the parameters :window_start and :window_end'),
});

export type StreamSqlOutput = Made<typeof streamSqlOutput>;

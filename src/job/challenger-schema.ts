import { z } from 'zod';
import { tableName, text } from './fields.ts';

export const challenger = z.strictObject({
  model: text.describe('folder of the bundle that scores the same rows beside the model of the job'),
  table: tableName.optional().describe('table of its scores; by default sink.table with _challenger appended'),
  promote_after: z
    .int()
    .min(1)
    .default(4)
    .describe('how many comparisons in a row must be within the limits of compare before promote accepts it'),
});

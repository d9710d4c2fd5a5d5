import { z } from 'zod';
import { bundlePlace, tableName } from './fields.ts';

export const challenger = z.strictObject({
  model: bundlePlace.describe(
    'bundle that scores the same rows as the model of the job: a folder, or models:/NAME@ALIAS or models:/NAME/VERSION',
  ),
  table: tableName.optional().describe('table of its scores; by default sink.table with _challenger appended'),
  promote_after: z
    .int()
    .min(1)
    .default(4)
    .describe('how many comparisons in a row must be within the limits of compare before promote accepts it'),
});

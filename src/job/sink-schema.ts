import { z } from 'zod';
import { SCORE_LAYOUTS } from '../domain/tables.ts';
import { columnList, days, tableName, text } from './fields.ts';

export const sink = z.strictObject({
  warehouse: text.optional().describe("URL of the warehouse for the scores; by default the source's"),
  scratch: text.default('scratch').describe('schema, dataset or folder suffix for scores before they are published'),
  table: tableName,
  layout: z
    .enum(SCORE_LAYOUTS)
    .default('wide')
    .describe(
      'columns of the scores table: wide has all; narrow has no ranks, and has the run id instead of the model; slim has only the start of the window and the publication number of the run',
    ),
  keep: columnList.default([]).describe('columns of the query to publish with each score'),
  history: z
    .int()
    .min(0)
    .max(100)
    .default(1)
    .describe('how many replaced publications of a window are kept for rollback, in tables with the suffix _replaced'),
  history_for: days.prefault('90 days').describe('how long replaced publications are kept; gc drops older ones'),
  shared_tables: z
    .boolean()
    .default(false)
    .describe('whether other jobs publish to the same tables; if so, filter every count by job'),
  quarantine_values: z.enum(['hash', 'plain']).default('hash').describe('how rejected values appear in the quarantine table'),
});

import { z } from 'zod';
import { anyText, days, tableName, text } from './fields.ts';

export const labels = z
  .strictObject({
    query: anyText.optional().describe('query that returns keys and outcomes of users; alternatively, query_file'),
    query_file: text.optional().describe('file with that query, relative to the project root'),
    ready: anyText.optional().describe('query that returns true once the outcomes up to :label_end are known'),
    after: days.describe('time after the end of the window until its outcome is known, such as 28 days'),
    outcome: text
      .default('outcome')
      .describe('column of the query with the outcome: true, or 1, if what the model predicts came true'),
    treated: text.optional().describe('column of the query that is true for users who were contacted'),
    missing: z
      .enum(['exclude', 'negative'])
      .describe('how to count users whom the query does not return: left out, or as outcomes that did not come true'),
    table: tableName.optional().describe('evaluation table; by default sink.table with _evaluation appended'),
  })
  .refine((value) => (value.query === undefined) !== (value.query_file === undefined), {
    message: 'give either query or query_file',
    when: ({ value }) => typeof value === 'object' && value !== null,
  });

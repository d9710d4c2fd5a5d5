import { z } from 'zod';
import { text } from './fields.ts';

const known = text.nullable().describe('null while it is not known');

/** Printed instead of a result if a command fails before it has one. */
export const errorOutput = z.strictObject({
  error: z.strictObject({
    kind: z.enum([
      'usage',
      'refused',
      'unavailable',
      'report',
      'conflict',
      'permission',
      'configuration',
      'nothing to score',
      'interrupted',
      'bug',
    ]),
    exit_code: z.int().min(1).max(255),
    message: text,
    details: z.array(text),
    hint: text.nullable().describe('what to do about it'),
    job: known,
    window: known,
    run_id: known,
  }),
});

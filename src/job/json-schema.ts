import { z } from 'zod';
import { jobSchema } from './schema.ts';

/** JSON Schema of the job file, for editors. Keys with a default are optional. */
export function jobJsonSchema(): object {
  return {
    ...z.toJSONSchema(jobSchema, { io: 'input', target: 'draft-7' }),
    title: 'score-batch job',
  };
}

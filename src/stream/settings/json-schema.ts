import { z } from 'zod';
import { streamSchema } from './schema.ts';

/** JSON Schema of the stream job file, for editors. Keys with a default are optional. */
export function streamJsonSchema(): object {
  return {
    ...z.toJSONSchema(streamSchema, { io: 'input', target: 'draft-7' }),
    title: 'score-batch stream job',
  };
}

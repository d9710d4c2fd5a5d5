import { z } from 'zod';
import { featuresSchema } from './schema.ts';

/** JSON Schema of the feature file, for editors. Keys with a default are optional. */
export function featuresJsonSchema(): object {
  return {
    ...z.toJSONSchema(featuresSchema, { io: 'input', target: 'draft-7' }),
    title: 'score-batch features',
  };
}

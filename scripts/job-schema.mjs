// Keeps jobs/job.schema.json, which editors read, in step with the zod schema.
import { writeFileSync } from 'node:fs';
import { jobJsonSchema } from '../dist/job/json-schema.js';

writeFileSync(new URL('../jobs/job.schema.json', import.meta.url), `${JSON.stringify(jobJsonSchema(), null, 2)}\n`);

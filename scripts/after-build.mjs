// What the compiler leaves to do: the command must be executable, and jobs/job.schema.json, which editors read, must be in step
// with the zod schema.
import { chmodSync, writeFileSync } from 'node:fs';
import { jobJsonSchema } from '../dist/job/json-schema.js';

chmodSync(new URL('../dist/cli.js', import.meta.url), 0o755);
writeFileSync(new URL('../jobs/job.schema.json', import.meta.url), `${JSON.stringify(jobJsonSchema(), null, 2)}\n`);

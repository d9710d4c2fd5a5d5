// Writes the generated pages: docs/job-file.md from the job file's schema, docs/cli.md from the commands. test/docs.test.ts
// fails while they are out of date.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildProgram } from '../.modules/commands/program.js';
import { EXIT_CODES } from '../.modules/errors.js';
import { jobJsonSchema } from '../.modules/job/json-schema.js';
import { jobSchema } from '../.modules/job/schema.js';
import { cliPage, jobFilePage, LEAST_JOB } from './doc-pages.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (name) => readFileSync(`${root}scripts/docs/${name}`, 'utf8');
const program = buildProgram(
  () => undefined,
  () => undefined,
  () => undefined,
);
const jobFile = jobFilePage(read('job-file.md'), jobJsonSchema(), read('job-file.yaml'), jobSchema.parse(LEAST_JOB));
writeFileSync(`${root}docs/job-file.md`, jobFile);
writeFileSync(`${root}docs/cli.md`, cliPage(read('cli.md'), program, EXIT_CODES));

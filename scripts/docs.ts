// Writes the generated pages: docs/job-file.md from the job file's schema, docs/cli.md and the manual
// page from the commands. test/docs.test.ts
// fails while they are out of date.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildProgram } from '../src/commands/program.ts';
import { EXIT_CODES } from '../src/errors.ts';
import { jobJsonSchema } from '../src/job/json-schema.ts';
import { jobSchema } from '../src/job/schema.ts';
import { cliPage, jobFilePage, LEAST_JOB } from './doc-pages.ts';
import { writeJsonSchemas } from './json-schemas.ts';
import { manPage } from './man-page.ts';
import { ROOT } from './root.ts';

const read = (name: string) => readFileSync(path.join(ROOT, 'scripts/docs', name), 'utf8');
const none = () => undefined;
// No command runs, so none uses its context.
const program = buildProgram(none as never, none, none);
const jobFile = jobFilePage(read('job-file.md'), jobJsonSchema(), read('job-file.yaml'), jobSchema.parse(LEAST_JOB));
writeFileSync(path.join(ROOT, 'docs/job-file.md'), jobFile);
writeFileSync(path.join(ROOT, 'docs/cli.md'), cliPage(read('cli.md'), program, EXIT_CODES));
mkdirSync(path.join(ROOT, 'man'), { recursive: true });
writeFileSync(path.join(ROOT, 'man/score-batch.1'), manPage(read('cli.md'), program, EXIT_CODES));
writeJsonSchemas(path.join(ROOT, 'schemas'));

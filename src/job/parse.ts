import { parseChecked } from '../yaml/checked.ts';
import { crossChecks } from './cross-checks.ts';
import { type JobDefinition, jobSchema } from './schema.ts';

/**
 * A job file's text → its definition.
 *
 * @param file name shown in messages.
 * @throws ScoreBatchError `configuration` with every problem at once, each with line and column.
 */
export function parseJob(text: string, file: string, environment: NodeJS.ProcessEnv): JobDefinition {
  return parseChecked(text, jobSchema, {
    file,
    noun: 'job file',
    hint: 'docs/job-file.md explains every key; `score-batch init NAME` writes a commented example',
    environment,
    crossChecks,
  });
}

import path from 'node:path';
import { ScoreBatchError } from '../errors.ts';
import { locateJob, projectRoot, readText } from './locate.ts';
import { parseJob } from './parse.ts';
import type { JobDefinition } from './schema.ts';
import { isBlank, singleStatement } from './sql-code.ts';

/** A job file with everything that it refers to, read once. */
export interface Job {
  readonly file: string;
  readonly root: string;
  readonly definition: JobDefinition;
  /** The query's text without a final semicolon. */
  readonly query: string;
  /** What the query is called in messages: its file, or the key that holds it. */
  readonly queryName: string;
}

/**
 * @param name what `--job` said
 * @param folder where the command runs
 * @throws ScoreBatchError `usage` where there is no such job, `configuration` where it has problems
 */
export async function loadJob(name: string | undefined, folder: string, environment: NodeJS.ProcessEnv): Promise<Job> {
  const file = await locateJob(name, folder, environment);
  const definition = parseJob(await readText(file, 'the job file'), path.relative(folder, file), environment);
  const root = projectRoot(file);
  const { query, query_file } = definition.source;
  const queryName = query_file ?? 'source.query';
  const text = query ?? (await readText(path.resolve(root, query_file ?? ''), 'the query file'));
  const statement = singleStatement(text);
  if (statement === undefined || isBlank(statement)) {
    throw new ScoreBatchError(
      'configuration',
      `${queryName} ${statement === undefined ? 'holds more than one statement' : 'is empty'}`,
      {
        hint: 'a job has one SELECT; prepare tables before the run, or use WITH',
      },
    );
  }
  return { file, root, definition, query: statement, queryName };
}

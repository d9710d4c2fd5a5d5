import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Context } from '../context.ts';
import { ScoreBatchError } from '../errors.ts';
import { jobJsonSchema } from '../job/json-schema.ts';
import { type JobFacts, jobTemplate, type QueryFacts, queryTemplate } from '../job/template.ts';
import type { InitOutput } from '../json/upkeep.ts';
import { introspect } from './introspection.ts';

const SCHEMA = 'job.schema.json';

export interface InitFlags {
  readonly model?: string;
  readonly table?: string;
  readonly warehouse?: string;
  readonly feast?: string;
  readonly service?: string;
}

interface Draft {
  readonly job: JobFacts;
  readonly query?: QueryFacts;
  /** The whole query, unless it is generated from facts. */
  readonly sql?: string;
  /** What is left to do, one sentence each. */
  readonly open: readonly string[];
}

/** Writes a commented job file, its query, and the schema that editors use to complete it. Never replaces a job. */
export async function initCommand(name: string, flags: InitFlags, context: Context): Promise<InitOutput> {
  const { folder, console } = context;
  if (!/^[a-z0-9][a-z0-9_-]{0,62}$/.test(name)) {
    throw new ScoreBatchError('usage', `${name} is not a valid job name`, {
      hint: 'use lower-case letters, digits, - and _',
    });
  }
  const jobs = path.join(folder, 'jobs');
  const [jobFile, queryFile] = [path.join(jobs, `${name}.yaml`), path.join(jobs, `${name}.sql`)];
  const there = [jobFile, queryFile].find((file) => existsSync(file));
  if (there)
    throw new ScoreBatchError('usage', `${there} already exists`, { hint: 'choose another name, or remove the file first' });
  const { job, query, sql, open } = await draft(flags, context);
  const files = [
    { file: jobFile, text: jobTemplate(name, `./${SCHEMA}`, job) },
    { file: queryFile, text: sql ?? queryTemplate(query) },
  ];
  const write = async (): Promise<void> => {
    await mkdir(jobs, { recursive: true });
    for (const { file, text } of files) await writeFile(file, text, { flag: 'wx' });
    // Generated, so an older version is replaced.
    await writeFile(path.join(jobs, SCHEMA), `${JSON.stringify(jobJsonSchema(), null, 2)}\n`);
  };
  await write().catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ScoreBatchError('permission', `could not write to ${jobs}: ${reason}`, {
      hint: 'choose another folder with -C',
      cause,
    });
  });
  const made = [...files.map(({ file }) => file), path.join(jobs, SCHEMA)];
  console.info([`wrote ${made.join(', ')}`, ...nextSteps(name, (query ?? sql) !== undefined, open)].join('\n'));
  return { files: made, open };
}

/** What a model and a table reveal about the job; without them, examples. */
async function draft({ feast, service, ...flags }: InitFlags, context: Context): Promise<Draft> {
  const { model, table, warehouse } = flags;
  if (feast !== undefined) {
    const { feastDraft } = await import('./feast-draft.ts');
    return await feastDraft({ feast, service, ...flags }, context);
  }
  if (service !== undefined)
    throw new ScoreBatchError('usage', '--service needs --feast', { hint: 'name the repo with --feast REPO' });
  if (model !== undefined && table !== undefined) return await introspect({ model, table, warehouse }, context);
  if (model === undefined && table === undefined && warehouse === undefined) return { job: {}, open: [] };
  throw new ScoreBatchError('usage', `${model === undefined ? '--model' : '--table'} is missing`, {
    hint: 'give both --model FOLDER and --table SCHEMA.TABLE, or neither',
  });
}

function nextSteps(name: string, introspected: boolean, open: readonly string[]): string[] {
  if (!introspected) return [`next: fill in the query and the model, then run \`score-batch check --job ${name}\``];
  if (open.length > 0) return ['still to do, marked in the files:', ...open.map((text) => `  ${text}`)];
  return [`next: review both files, set time_zone and sink.table, then run \`score-batch plan --job ${name} --week\``];
}

import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Context } from '../context.ts';
import { ScoreBatchError } from '../errors.ts';
import { jobJsonSchema } from '../job/json-schema.ts';
import { jobTemplate, queryTemplate } from '../job/template.ts';

const SCHEMA = 'job.schema.json';

/** A commented job file, its query and the schema that lets an editor complete it; never over a file that is there. */
export async function initCommand(name: string, { folder, console }: Context): Promise<object> {
  if (!/^[a-z0-9][a-z0-9_-]{0,62}$/.test(name)) {
    throw new ScoreBatchError('usage', `${name} cannot be the name of a job`, {
      hint: 'use lower-case letters, digits, - and _',
    });
  }
  const jobs = path.join(folder, 'jobs');
  const files = [
    { file: path.join(jobs, `${name}.yaml`), text: jobTemplate(name, `./${SCHEMA}`) },
    { file: path.join(jobs, `${name}.sql`), text: queryTemplate() },
  ];
  const there = files.find(({ file }) => existsSync(file));
  if (there)
    throw new ScoreBatchError('usage', `${there.file} exists already`, { hint: 'choose another name, or remove it first' });
  const write = async (): Promise<void> => {
    await mkdir(jobs, { recursive: true });
    for (const { file, text } of files) await writeFile(file, text, { flag: 'wx' });
    // Generated: an older one is brought up to date.
    await writeFile(path.join(jobs, SCHEMA), `${JSON.stringify(jobJsonSchema(), null, 2)}\n`);
  };
  await write().catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ScoreBatchError('permission', `${jobs} cannot be written: ${reason}`, {
      hint: 'choose another folder with -C',
      cause,
    });
  });
  const made = [...files.map(({ file }) => file), path.join(jobs, SCHEMA)];
  console.info(
    `wrote ${made.join(', ')}\nnext: fill in the query and the model, then \`score-batch check --job ${name}\` tells what is missing`,
  );
  return { files: made };
}

import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { ScoreBatchError, unreadable } from '../errors.ts';
import { didYouMean } from '../suggest.ts';

const YAML = /\.ya?ml$/;

/**
 * Finds the job file of a command: `--job` (a path, or a name in `jobs/`), else `SCORE_BATCH_JOB`, else the only YAML file
 * in `jobs/`.
 *
 * @throws ScoreBatchError `usage` if there is none, or more than one
 */
export async function locateJob(name: string | undefined, folder: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const wanted = name ?? environment.SCORE_BATCH_JOB;
  const jobs = path.join(folder, 'jobs');
  const known = await yamlFiles(jobs);
  if (wanted) {
    const candidates = YAML.test(wanted)
      ? [path.resolve(folder, wanted), path.join(jobs, wanted)]
      : [path.join(jobs, `${wanted}.yaml`), path.join(jobs, `${wanted}.yml`)];
    const found = candidates.find((file) => existsSync(file));
    if (found) return found;
    const names = known.map((file) => file.replace(YAML, ''));
    throw new ScoreBatchError('usage', `there is no job ${wanted}`, {
      hint: names.length > 0 ? didYouMean(wanted, names) : `looked for ${candidates.join(' and ')}`,
    });
  }
  const [only, ...more] = known;
  if (only === undefined) {
    throw new ScoreBatchError('usage', `there is no job file in ${jobs}`, {
      hint: 'name a job file with --job, go to the project with -C, or create a job with `score-batch init NAME`',
    });
  }
  if (more.length > 0) {
    throw new ScoreBatchError('usage', `there are ${known.length} job files in ${jobs}`, {
      hint: `choose one with --job: ${known.map((file) => file.replace(YAML, '')).join(', ')}`,
    });
  }
  return path.join(jobs, only);
}

/** The root of relative paths in a job: the nearest ancestor that contains `jobs/`, else the job file's folder. */
export function projectRoot(jobFile: string): string {
  const start = path.dirname(path.resolve(jobFile));
  for (let folder = start; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, 'jobs'))) return folder;
    if (folder === path.dirname(folder)) return start;
  }
}

/** @throws ScoreBatchError `configuration` or `permission` if the file cannot be read */
export async function readText(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw unreadable(`${what} ${file}`, cause, 'paths are relative to the project root, the folder that contains jobs/');
  }
}

async function yamlFiles(folder: string): Promise<string[]> {
  const exists = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  return exists ? (await readdir(folder)).filter((name) => YAML.test(name)).sort() : [];
}

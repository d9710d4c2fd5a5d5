import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { ScoreBatchError, unreadable } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import { FEATURES_FILE, isStreamJob } from './stream-file.ts';

const YAML = /\.ya?ml$/;

/** What a command works on: windows of a job, or the events of a stream job. */
export type JobKind = 'window' | 'stream';

/**
 * Finds the job file of a command: `--job` (a path, or a name in `jobs/`), otherwise `SCORE_BATCH_JOB`, otherwise the only job
 * of its kind in `jobs/`.
 *
 * @throws ScoreBatchError `usage` if there is none, or more than one, or the named one is of the other kind
 */
export async function locateJob(
  name: string | undefined,
  folder: string,
  environment: NodeJS.ProcessEnv,
  kind: JobKind = 'window',
): Promise<string> {
  const wanted = name ?? environment.SCORE_BATCH_JOB;
  const jobs = path.join(folder, 'jobs');
  const known = await jobFiles(jobs, kind);
  if (wanted) {
    const candidates = YAML.test(wanted)
      ? [path.resolve(folder, wanted), path.join(jobs, wanted)]
      : [path.join(jobs, `${wanted}.yaml`), path.join(jobs, `${wanted}.yml`)];
    const found = candidates.find((file) => existsSync(file));
    if (found) return await checkKind(found, folder, kind);
    const names = known.map((file) => file.replace(YAML, ''));
    throw new ScoreBatchError('usage', `there is no job ${wanted}`, {
      hint: names.length > 0 ? didYouMean(wanted, names) : `looked for ${candidates.join(' and ')}`,
    });
  }
  const [only, ...more] = known;
  if (only === undefined) {
    const [other] = kind === 'window' ? await jobFiles(jobs, 'stream') : [];
    throw new ScoreBatchError('usage', `there is no ${kind === 'stream' ? 'stream job' : 'job file'} in ${jobs}`, {
      hint:
        kind === 'stream'
          ? 'name a stream job file with --job, or choose the project folder with -C; docs/stream-settings.md has an example'
          : other !== undefined
            ? `${other} is a stream job: run \`score-batch stream\``
            : 'name a job file with --job, choose the project folder with -C, or create a job with `score-batch init NAME`',
    });
  }
  if (more.length > 0) {
    throw new ScoreBatchError(
      'usage',
      `there are ${known.length} ${kind === 'stream' ? 'stream jobs' : 'job files'} in ${jobs}`,
      {
        hint: `choose one with --job: ${known.map((file) => file.replace(YAML, '')).join(', ')}`,
      },
    );
  }
  return path.join(jobs, only);
}

/** The root of relative paths in a job: the nearest ancestor that contains `jobs/`, otherwise the job file's folder. */
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

/** @throws ScoreBatchError `usage` if the file is of the other kind */
async function checkKind(file: string, folder: string, kind: JobKind): Promise<string> {
  const [found, name] = [await kindOf(file), path.basename(file).replace(YAML, '')];
  if (found === kind) return file;
  // A file outside jobs/ has no name.
  const given = path.dirname(file) === path.join(folder, 'jobs') ? name : path.relative(folder, file);
  if (found === undefined) {
    throw new ScoreBatchError('usage', `${path.relative(folder, file)} holds features, not a job`, {
      hint: 'name the job that has this file as its features_file',
    });
  }
  throw found === 'stream'
    ? new ScoreBatchError('usage', `${name} is a stream job`, { hint: `run \`score-batch stream --job ${given}\`` })
    : new ScoreBatchError('usage', `${name} is not a stream job`, {
        hint: `it has windows: run \`score-batch --job ${given}\`; a stream job names features_file and input`,
      });
}

/** @returns undefined for a feature file, which is not a job */
async function kindOf(file: string): Promise<JobKind | undefined> {
  if (FEATURES_FILE.test(file)) return undefined;
  // The next reader refuses an unreadable file, with the reason.
  return isStreamJob(await readFile(file, 'utf8').catch(() => '')) ? 'stream' : 'window';
}

async function jobFiles(folder: string, kind: JobKind): Promise<string[]> {
  const exists = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const names = exists ? (await readdir(folder)).filter((name) => YAML.test(name)).sort() : [];
  const kinds = await Promise.all(names.map((name) => kindOf(path.join(folder, name))));
  return names.filter((_, i) => kinds[i] === kind);
}

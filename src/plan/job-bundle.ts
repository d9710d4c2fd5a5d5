import path from 'node:path';
import type { Job } from '../job/load.ts';
import { type Bundle, loadBundle } from '../model/bundle.ts';
import { withScore } from '../model/scored-class.ts';

/** Which of a job's models. */
export type Which = 'model' | 'challenger';

/** The job file's value for a model: a folder, or a registered version. @throws Error if the job has no challenger */
export function modelText({ definition }: Pick<Job, 'definition'>, which: Which): string {
  const text = which === 'model' ? definition.model : definition.challenger?.model;
  if (text === undefined) throw new Error('a job without a challenger has no bundle of one');
  return text;
}

/**
 * Loads a bundle of the job, with the score that the job selects.
 *
 * @param job with located models, see `locatedJob`
 * @throws ScoreBatchError `configuration` as `loadBundle` and `withScore`; of any kind if the registry has no bundle for it
 */
export async function loadJobBundle(job: Job, which: Which = 'model'): Promise<Bundle> {
  return withScore(await loadBundle(bundleFolderOf(job, which)), job.definition.score);
}

/** The folder of a bundle of the job. @throws ScoreBatchError if the registry has no bundle for it */
export function bundleFolderOf(job: Pick<Job, 'root' | 'definition' | 'located'>, which: Which = 'model'): string {
  const located = job.located?.[which];
  if (located === undefined) return path.resolve(job.root, modelText(job, which));
  if (located.problem !== undefined) throw located.problem;
  return located.folder;
}

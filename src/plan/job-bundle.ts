import path from 'node:path';
import type { JobDefinition } from '../job/schema.ts';
import { type Bundle, loadBundle } from '../model/bundle.ts';
import { withScore } from '../model/scored-class.ts';

/**
 * Reads a bundle with the score that the job chooses.
 *
 * @param root folder of the job file
 * @param model folder of the bundle, as in the job file
 * @throws ScoreBatchError `configuration` as `loadBundle` and `withScore`
 */
export async function loadJobBundle(root: string, model: string, { score }: Pick<JobDefinition, 'score'>): Promise<Bundle> {
  return withScore(await loadBundle(path.resolve(root, model)), score);
}

import type { Problem } from '../../yaml/checked.ts';
import type { ServeFile } from './schema.ts';

/** Checks across the keys of a settings file. */
export function crossChecks({ models = [], limits }: ServeFile): Problem[] {
  const problems: Problem[] = [];
  const folders = models.map((one) => (typeof one === 'string' ? one : one.bundle));
  for (const [at, folder] of folders.entries())
    if (folders.indexOf(folder) < at) problems.push({ path: ['models', at], message: `${folder} is named twice` });
  if (models.length > 0 && models.every((one) => typeof one !== 'string' && one.canary !== undefined))
    problems.push({ path: ['models'], message: 'every version is a canary: one must answer the other requests' });
  const { head_time, request_time } = limits ?? {};
  if (head_time !== undefined && request_time !== undefined && head_time > request_time)
    problems.push({ path: ['limits', 'head_time'], message: 'must not be longer than request_time' });
  return problems;
}

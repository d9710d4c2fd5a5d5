import type { Context } from '../context.ts';
import { readStreamSettings } from '../stream/settings/read.ts';
import type { StreamSettings } from '../stream/settings.ts';
import { bundleArgument } from './bundle-argument.ts';

/**
 * The settings of a stream job for loading its model: a registered version is looked up each time.
 *
 * @param model a bundle to use instead of the job's
 */
export async function locatedSettings(job: string | undefined, context: Context, model?: string): Promise<StreamSettings> {
  const settings = await readStreamSettings(job, context.folder, context.environment);
  return { ...settings, model: await bundleArgument(model ?? settings.model, context) };
}

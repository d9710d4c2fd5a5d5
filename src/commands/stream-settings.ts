import type { Context } from '../context.ts';
import { readStreamSettings } from '../stream/settings/read.ts';
import type { StreamSettings } from '../stream/settings.ts';
import { bundleArgument } from './bundle-argument.ts';

/**
 * The settings of a stream job whose model is to be loaded: a version of a registered model is looked up each time.
 *
 * @param model another bundle than the job's
 */
export async function locatedSettings(job: string | undefined, context: Context, model?: string): Promise<StreamSettings> {
  const settings = await readStreamSettings(job, context.folder, context.environment);
  return { ...settings, model: await bundleArgument(model ?? settings.model, context) };
}

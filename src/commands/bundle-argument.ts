import path from 'node:path';
import type { Context } from '../context.ts';
import { isModelUri } from '../domain/model-uri.ts';

/** The bundle folder for an argument: the folder itself, or where a version of a registered model is cached. */
export async function bundleArgument(given: string, context: Context): Promise<string> {
  if (!isModelUri(given)) return path.resolve(context.folder, given);
  const { locateModel } = await import('../registry/locate.ts');
  return (await locateModel(given, context)).folder;
}

import path from 'node:path';
import type { Context } from '../context.ts';
import { loadBundle } from '../model/bundle.ts';
import { verifyBundle } from '../model/verify.ts';
import { type ModelFlags, sessionOptions } from './options.ts';

/** Scores the golden rows again and compares. */
export async function verifyCommand(
  folder: string,
  flags: ModelFlags,
  context: Context,
): Promise<{ data: object; text: string }> {
  const bundle = await loadBundle(path.resolve(context.folder, folder));
  const { provider, rows, largest, tolerance } = await verifyBundle(bundle, sessionOptions(flags));
  const { name, version } = bundle.definition;
  return {
    data: { name, version, digest: bundle.digest, provider, rows, largest_difference: largest, tolerance },
    text: `${name} ${version} on ${provider}: ${rows} golden rows agree, largest difference ${largest.toExponential(1)} (tolerance ${tolerance})`,
  };
}

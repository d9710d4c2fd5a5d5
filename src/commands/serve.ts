import type { Context } from '../context.ts';
import { isModelUri } from '../domain/model-uri.ts';
import { supervise } from '../serve/process/supervisor.ts';
import { readSettings, type ServeFlags } from '../serve/settings/read.ts';
import type { ServeSettings } from '../serve/settings.ts';
import { bundleArgument } from './bundle-argument.ts';
import { type ModelFlags, sessionOptions } from './options.ts';

/** Flags as parsed by Commander; lists are strings. */
export interface ServeOptions extends Omit<ServeFlags, 'providers' | 'origins'>, ModelFlags {
  readonly origins?: string;
}

/** Answers requests until a signal ends it. SIGHUP reads settings and bundles again. */
export async function serveCommand(bundles: readonly string[], options: ServeOptions, context: Context): Promise<void> {
  const { providers, origins, ...rest } = options;
  const flags: ServeFlags = {
    ...rest,
    ...(providers !== undefined && { providers: sessionOptions({ providers }).providers }),
    ...(origins !== undefined && { origins: origins.split(',').map((origin) => origin.trim()) }),
  };
  const { folder, environment, console, signal, serving } = context;
  await supervise({
    read: async () => await located(await readSettings({ bundles, flags, folder, environment }), context),
    json: environment.SCORE_BATCH_LOG === 'json',
    console,
    signal,
    serving,
  });
}

/** Adds the folders of registered models, as the registry has them now. */
async function located(settings: ServeSettings, context: Context): Promise<ServeSettings> {
  const bundles = [];
  for (const one of settings.bundles)
    bundles.push(isModelUri(one.folder) ? { ...one, folder: await bundleArgument(one.folder, context) } : one);
  return { ...settings, bundles };
}
